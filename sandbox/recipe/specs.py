"""`Recipe`: one experiment as plain data, its ranges and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import tyro

from sandbox.errors import SandboxError
from sandbox.recipe.after import spell_steps
from sandbox.recipe.episodes import COUNT, QUERIES, spell_tasks
from sandbox.recipe.extra import spell_extra
from sandbox.recipe.size import ImageSize
from sandbox.recipe.size import spelt as spelt_size

T = TypeVar("T")
Colour = Literal["auto", "grey", "rgb"]


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """Which images are learnt from, and how they are split."""

    # The settings that every data set has. One with settings of its own declares them in its file, as a subclass of
    # this; they are flags and TOML keys beside these.

    name: str = "glyphs"
    """Which data set (--list data names them)."""
    root: str = ""
    """Folder the data set lies in, for those that are not embedded; without it olivetti, mnist, cifar100 and omniglot
    are downloaded into the cache."""
    image_size: ImageSize | None = None
    """Pixels that images are resized to: a side of squares, such as 64, or height x width, such as 256x128; the data
    set's own where not given."""
    resize: int | None = None
    """Pixels that an image's shorter side is resized to before image_size is cut out of its middle; without it the
    whole image is squeezed in."""
    colour: Colour = "auto"
    """Grey (1 channel) or RGB (3); auto takes what the files are."""
    split: Literal["auto", "class", "sample", "given", "official"] = "auto"
    """class: test classes are never trained on; sample: every class in every split; given: by subfolders or lists;
    official: as its authors split it (omniglot)."""
    split_seed: int = 0
    """Draws the split, apart from the training seed, so that seeds share one split."""
    validation: float = 0.15
    """Share of the classes (or of each class's images) kept for validation, where the split is drawn here."""
    test: float = 0.25
    """Share kept for test, where the split is drawn here."""
    val_fold: str = ""
    """1/4: validate on the first of four class-disjoint folds of the classes of training and validation together, and
    train on the other three. Without it validation is as the split says."""
    test_fold: str = ""
    """2/4: with val_fold, the second of these folds stands in the place of test, and training has the other two; the
    data set's own test is not used. For choices that neither training nor validation may have made."""
    fold_seed: int = 0
    """Turns the folds: 0 begins the first at the first name, any other draws where; test stays the same."""
    min_images: int = 1
    """Classes with fewer images are left out."""
    rotations: Literal[1, 2, 4] = 1
    """Copies of each training class, turned by 180 (2) or by 90, 180 and 270 degrees (4), are classes of their own, as
    characters that lie on their side are."""
    normalize: Literal["auto", "dataset", "library", "imagenet", "none"] = "auto"
    """Channel statistics taken off the pixels; library: those that torchvision or timm gives for weights it publishes;
    auto: these for pretrained weights, else the training set's."""

    def __post_init__(self) -> None:
        """Spell the size in one way."""
        object.__setattr__(self, "image_size", spelt_size(self.image_size))


@dataclass(frozen=True, kw_only=True)
class AugmentSpec:
    """How a training image is changed before it is shown."""

    rotate: float = 5.0
    """Largest rotation, degrees either way."""
    scale: float = 0.1
    """Largest relative change of size."""
    shear: float = 0.15
    """Largest shear, as a slope."""
    translate: float = 0.04
    """Largest shift, as a share of the image's side."""
    flip: Literal["auto", "yes", "no"] = "auto"
    """Mirror half of the images left to right; auto: yes for faces, no for letters and unknown folders."""
    contrast: float = 0.0
    """Largest relative change of contrast and brightness."""
    erase: float = 0.0
    """Probability that a random rectangle (up to a quarter of the image) is blanked."""
    erase_fill: Literal["grey", "noise", "mixed"] = "grey"
    """What that rectangle is filled with: grey, a random value for each pixel, or what another image of the batch has
    there."""
    elastic: float = 0.0
    """Largest displacement of a smooth random warp, as a share of the image's side, such as 0.05."""
    stroke: float = 0.0
    """Largest shift of the edges of bright strokes, which are made thicker or thinner by it, as a share of the image's
    side, such as 0.02."""


@dataclass(frozen=True, kw_only=True)
class BackboneSpec:
    """The network that learns: its trunk, its head and where its weights start."""

    name: str = "conv6"
    """Which network (--list backbones names them): one of ours, torchvision:NAME or timm:NAME."""
    embedding_dim: int = 512
    """Length of the embedding that the head puts out."""
    head: Literal["auto", "linear", "linear_bn", "none"] = "auto"
    """Linear layer on the features, the same with batch norm (no scale, no shift), or the features themselves; auto:
    linear_bn where a term owns class weights, else linear."""
    weights: str = ""
    """'pretrained' (downloads what torchvision or timm publish), a .safetensors, .pth, .pt, .bin or .ckpt file (the
    whole network, its backbone alone, or what torchvision or timm published of it), or nothing."""
    stem: Literal["auto", "standard", "small"] = "auto"
    """small keeps the resolution of the first layer, for images up to 64 px; auto decides by image size,
    and never takes a pretrained first layer away. Networks of our own have one stem: auto."""
    freeze: bool = False
    """Train the head alone."""
    freeze_head: bool = False
    """With freeze: keep the head as well, so that only what the losses own is trained, such as a classifier."""


@dataclass(frozen=True, kw_only=True)
class BatchSpec:
    """How images are drawn into the batch of a step."""

    sampler: Literal["auto", "pxk", "shuffle"] = "auto"
    """pxk: classes x samples per class; shuffle: shuffled epochs; auto: shuffle where no term takes tuples."""
    size: int = 128
    """Images a step; with pxk, classes x samples where those two are not given."""
    classes: int | None = None
    """pxk: classes a batch (P)."""
    samples: int | None = None
    """pxk: images of each class (K)."""


@dataclass(frozen=True, kw_only=True)
class OptimizerSpec:
    """Optimizer, learning rates, weight decay and clipping."""

    name: Literal["adamw", "adam", "sgd"] = "adamw"
    """Optimizer."""
    lr: float = 3e-3
    """Peak learning rate of the network."""
    loss_lr: float = 1e-2
    """Peak learning rate of weights that a loss owns (class weights, proxies)."""
    weight_decay: float = 0.5
    """Weight decay (decoupled for adamw)."""
    momentum: float = 0.9
    """Momentum, sgd only."""
    amsgrad: bool = False
    """AMSGrad variant, adam and adamw."""
    clip: float = 0.0
    """Largest gradient norm; 0 does not clip."""
    ema: float = 0.0
    """Decay of a moving average of the weights, such as 0.999, which is validated and kept in their place; 0: none."""
    layer_decay: float = 1.0
    """Factor of the trunk's learning rate for each layer further from the head, such as 0.75; the head's is lr whole.
    A layer is a block of the network, as timm counts them."""
    head_first: int = 0
    """Steps in which the head and what losses own are trained alone, before all layers are."""


@dataclass(frozen=True, kw_only=True)
class ScheduleSpec:
    """How the learning rate changes over the run."""

    name: Literal["cosine", "one_cycle", "step", "exponential", "constant"] = "cosine"
    """Shape over the run."""
    warmup: float = 0.1
    """Share of the run that climbs to the peak."""
    gamma: float = 0.85
    """step and exponential: factor per period."""
    period: float = 1.0
    """step and exponential: epochs per factor."""


@dataclass(frozen=True, kw_only=True)
class EvaluateSpec:
    """What is validated, when, and which figure chooses the weights."""

    every: int | None = None
    """Steps between two validations; a tenth of the run where not given."""
    monitor: str = "retrieval/map@r"
    """Report key of the validation split that picks the best checkpoint."""
    patience: int = 0
    """Validations without a better value before training stops; 0 never stops."""
    recall_at: tuple[int, ...] = (1, 5, 10)
    """The k of recall@k."""
    far: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4)
    """False accept rates at which the true accept rate is reported."""
    flip: bool = False
    """Embed each image as the mean of itself and its mirror image."""
    episodes: str = ""
    """Few-shot tasks whose accuracy is reported, such as "5-way 1-shot, 20-way 5-shot"."""
    episode_count: int = COUNT
    """Episodes of each task, the same ones for every run on a split."""
    episode_queries: int = QUERIES
    """Images of each class that an episode asks for."""
    views: int = 1
    """Embed each image as the mean of this many versions: itself and slight affine changes, the same for every image;
    with flip, of as many of its mirror image too. Class scores (top-1) are of the image itself."""
    view_strength: float = 1.0
    """How far those changes go: 1 turns by up to 5 degrees, shears by 0.15, zooms by 10 % and shifts by 4 %."""
    figures: str = ""
    """Figures by the names that other tables use, such as "map, minp, ndcg@10, precision@5, pauc@0.01"."""
    by: str = ""
    """Column of the images, such as category or camera, by each of whose values (50 at most) verification is given
    too, all at one threshold: validation's for test, on validation the best of all its images together."""
    after: str = ""
    """What comes after the embedding, such as "whiten(128) + rerank(k1=20, k2=6)": center, pca, whiten (fitted on
    validation), aqe, rerank; its figures stand as after/... beside the plain ones."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One experiment, complete: what it learns from, what learns, what it is asked to do, how it is judged."""

    loss: str = "triplet"
    """Objective expression, such as "arcface(margin=28.6) + 0.003*center" (--list losses names the terms)."""
    miner: str = "none"
    """Miner for every term that takes tuples and names none of its own (--list miners)."""
    data: DataSpec = DataSpec()
    augment: AugmentSpec = AugmentSpec()
    backbone: BackboneSpec = BackboneSpec()
    batch: BatchSpec = BatchSpec()
    optimizer: OptimizerSpec = OptimizerSpec()
    schedule: ScheduleSpec = ScheduleSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    epochs: int | None = None
    """Passes over the training images; 1,000 steps where neither this nor max_steps is given."""
    max_steps: int | None = None
    """Steps at most; 0 judges the network as it is, untrained."""
    max_seconds: float | None = None
    """Seconds of training (validation not counted), in place of epochs or max_steps; the learning rate follows the
    time. Such a run is not a function of its seed alone."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Number format of the network (losses are float32 always); auto: bf16 where the processor gains."""
    seed: int = 0
    """Fixes initial weights, batches, augmentation and every random draw."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    resume_from: str = ""
    """Folder of an earlier run whose weights this one starts from; what a loss owns is kept if the classes are the
    same."""
    after: Annotated[str, tyro.conf.Suppress] = ""
    """Digest of that earlier run, filled in when this one starts."""
    went_on: Annotated[str, tyro.conf.Suppress] = ""
    """Steps at which more were planned than before, such as "100, 250"; filled in by --resume with --max_steps."""


DataKinds = Mapping[str, type[DataSpec]]
"""The settings of each data set, by its name; `sandbox.data.catalog.data_kinds` gathers them."""


def own_settings(kind: type[DataSpec]) -> dict[str, Any]:
    """Name and default of each setting that a data set has beside those of all."""
    shared = {field.name for field in dataclasses.fields(DataSpec)}
    return {field.name: field.default for field in dataclasses.fields(kind) if field.name not in shared}


def as_kind(spec: DataSpec, kind: type[DataSpec]) -> DataSpec:
    """The same settings as another data set has them: what is not in `spec` gets its default."""
    if type(spec) is kind:
        return spec
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(**{f.name: getattr(spec, f.name) for f in dataclasses.fields(spec) if f.name in names})


def is_foreign(setting: str, value: Any, data_set: str, kinds: DataKinds) -> bool:
    """Whether a setting belongs to other data sets alone; at its default there it says nothing, and may stand.

    Raises:
        SandboxError: it has another value, which would change nothing here.
    """
    owners = [name for name, kind in kinds.items() if setting in own_settings(kind)]
    if not owners or data_set in owners:
        return False
    own = own_settings(kinds[owners[0]])
    if value != own[setting]:
        names = " and ".join(f"data.{name}" for name in own)
        verb = "is a setting" if len(own) == 1 else "are settings"
        raise SandboxError(f"{names} {verb} of data set '{owners[0]}'; '{data_set}' has none")
    return True


EMBEDDED_BY = ("evaluate.flip", "evaluate.views", "evaluate.view_strength")
"""Settings of what an image's embedding is the mean of: figures of runs that differ in them do not compare."""
_NOT_IN_DIGEST = ("seed", "device", "threads", "data.root", "data.images", "resume_from")
_EVER = {"data.view": "view1", "data.fold": None, "data.part": ""}
"""What the first digests held of every recipe, and now is of single data sets; it stays in, so that they stay."""
_ALWAYS = frozenset(
    """
    loss miner data.name data.root data.image_size data.resize data.colour data.split data.split_seed
    data.validation data.test data.min_images data.view data.fold data.part data.normalize augment.rotate
    augment.scale augment.shear augment.translate augment.flip augment.contrast augment.erase backbone.name
    backbone.embedding_dim backbone.head backbone.weights backbone.stem backbone.freeze backbone.freeze_head
    batch.sampler batch.size batch.classes batch.samples optimizer.name optimizer.lr optimizer.loss_lr
    optimizer.weight_decay optimizer.momentum optimizer.amsgrad optimizer.clip schedule.name schedule.warmup
    schedule.gamma schedule.period evaluate.every evaluate.monitor evaluate.patience evaluate.recall_at
    evaluate.far evaluate.flip epochs max_steps precision seed device threads resume_from after
    """.split()
)
"""What is in every digest. A setting that is younger is in it only where it is not at its default, so that a recipe
from before it was there keeps its name."""


def flat(recipe: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted name -> value, every field of a (nested) spec."""
    rows: dict[str, Any] = {}
    for field in dataclasses.fields(recipe):
        value = getattr(recipe, field.name)
        if dataclasses.is_dataclass(value):
            rows |= flat(value, f"{prefix}{field.name}.")
        else:
            rows[prefix + field.name] = value
    return rows


def digest(recipe: Recipe) -> str:
    """Hex name (12 characters) of what the recipe asks for.

    Seed, device, threads, data root and the earlier run's folder (not its digest) are left out, so that seeds of one
    recipe group, on any machine. `loss` and `miner` count as they are written: pass a recipe whose objective is spelt
    canonically (`sandbox.objectives.resolve.resolve` spells it). Episodes count as they are spelt canonically.
    """
    plain = flat(dataclasses.replace(Recipe(), data=type(recipe.data)()))
    rows = {name: value for name, value in flat(recipe).items() if name in _ALWAYS or value != plain[name]}
    rows = {name: value for name, value in (_EVER | rows).items() if name not in _NOT_IN_DIGEST}
    for name, spelt in (("episodes", spell_tasks), ("figures", spell_extra), ("after", spell_steps)):
        with suppress(KeyError, SandboxError):  # what is no task is refused elsewhere, and counts as it is written
            rows[f"evaluate.{name}"] = spelt(rows[f"evaluate.{name}"])
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:12]


def replace(recipe: Recipe, dotted: str, value: Any) -> Recipe:
    """The recipe with one dotted setting changed."""
    head, _, rest = dotted.partition(".")
    inner = getattr(recipe, head)
    return dataclasses.replace(recipe, **{head: dataclasses.replace(inner, **{rest: value}) if rest else value})
