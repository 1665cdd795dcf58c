"""Who is it, among the people enrolled.

closed_set  ranks over people, and the cumulative match characteristic
open_set    DIR at FPIR: thresholds fitted on some people judge others
"""
