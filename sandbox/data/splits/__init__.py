"""What is trained on, what choices are made on, what is tested.

splits     the three sets, with pairs and what is verified apart
apart      what a split is judged on beside its own images
draw       whole classes, or images of every class, drawn here
published  a training and a test part as they were published, validation drawn out of the first
folds      training and validation parted anew, one of K folds of their classes held out
trials     one-shot trials drawn from held-out classes
sizes      how many classes or images a share comes to
remarks    what is odd about a part, in sentences
"""
