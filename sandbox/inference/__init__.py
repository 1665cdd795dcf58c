"""A network that is done training.

embedder      what such a network is asked for, wherever it came from
trained       of a run                          onnx_network  of an ONNX file      load  either, by its path
export        ONNX and torch.export, compared   example_images  on these
"""
