"""Faces in photographs.

detect  MTCNN: boxes and five points          align  five points onto ArcFace's template
tree    a folder of photographs to a folder of aligned faces      record  what became of each
"""
