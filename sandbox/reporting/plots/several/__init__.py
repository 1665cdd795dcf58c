"""Pictures out of several runs: the numbers of each are a function that draws nothing, beside the one that draws.

objective   an objective in parts              heatmap     figures over two settings
labels      what a recipe is called            forest      effects against a baseline, or means
chosen      which recipes, which figures       parameter   a figure over one setting
learning    curves over steps, with health     cost        a figure against what it costs
verified    ROC of runs, their mean            trade_offs  ROC and DET drawn
recall      recall@k over k
"""
