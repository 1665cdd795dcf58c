"""The face homework of CMU 11-785 in its five shapes.

layouts       which parts lie where           lists         who is on which image, and which pairs
closed_set    images to classify              verification  pairs with answers, cut in two
submission    lists without answers, and the CSV files to hand in
"""
