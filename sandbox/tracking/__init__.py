"""A run told to other programs while it happens: TensorBoard, trackio, Weights & Biases, MLflow.

follow  the events of a run, passed on      tracker  what each of them is asked to do
to_*    one file for each program, imported where it was asked for; nothing goes anywhere else
"""
