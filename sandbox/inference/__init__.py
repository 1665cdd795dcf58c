"""A network that is done training.

embedder      what such a network is asked for, wherever it came from
load          any, by what a person calls it    network_text    how that is written
trained       of a run                          rebuilt         out of a description and weights
onnx_network  of an ONNX file made here         foreign_onnx onnx_form  of one from elsewhere
hub hub_card  the folder of a model hub         published_network  of torchvision and timm
export        ONNX and torch.export, compared   example_images  on these
listed        the image files that are to be embedded
"""
