"""Enrolled people in a few lines: how many, by which network, and what their threshold lets in."""

from __future__ import annotations

from sandbox.recognition.people import People, Threshold
from sandbox.recognition.rows import printable
from sandbox.wording import counted


def head_lines(people: People, file: str) -> list[str]:
    """What a file of enrolled people holds."""
    rows, network, threshold, calibration = people.rows, people.network, people.threshold, people.calibration
    read = "whole images" if people.faces == "whole" else "faces found in photographs"
    many = f"{counted(len(rows.names), 'person', 'people')}, {counted(len(rows), 'image', 'images')}"
    probability = "none, as there was nothing to learn it from"
    if calibration is not None:
        probability = (
            f"at even odds, learnt from {calibration.genuine:,} scores within people and "
            f"{calibration.impostors:,} between people"
        )
    return [
        f"{file}: {many}, {read}, template {people.template}",
        f"network: {printable(network.name)} ({network.digest}) at {printable(network.path)}",
        f"threshold: {threshold.value:.4f}{threshold_said(threshold)}",
        f"probability: {probability}",
    ]


def threshold_said(threshold: Threshold) -> str:
    """Where a threshold comes from, and what it lets in, as the end of a sentence that names it."""
    if threshold.reached is None:
        return ", by hand"
    whose = counted(threshold.people, "stranger", "strangers")
    whose += " of validation" if threshold.source == "validation" else ""
    on = f"{counted(threshold.images, 'image', 'images')} of {whose}"
    if threshold.fpir is None:
        return f", by hand: FPIR {threshold.reached:.4g} on {on}"
    lacking = "" if threshold.supported else f" (unsupported: it takes {30 / threshold.fpir:,.0f})"
    return f", fitted for FPIR {threshold.fpir:g}: {threshold.reached:.4g} reached on {on}{lacking}"
