"""Objectives: one small language that names, composes and weighs losses, miners, distances and reducers."""
