"""Parameters of an architecture: the section `model`, and each entry of `models`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sentiment_rnn.params.section import Fraction, Name, PositiveFloat, PositiveInt, Section

UNUSED_BY_CMA_ES = (
    "word_dropout", "embedding_dropout", "dropout", "learning_rate", "lr_schedule", "adam_epsilon", "gradient_clip",
    "label_smoothing", "adversarial_epsilon",
)  # fmt: skip
# the names in `models.ENCODERS`, which would import torch in stages that do not need it
Cell = Literal[
    "rnn", "lstm", "gru", "peephole", "coupled", "mlstm", "conv_lstm", "echo_state", "transformer"
]  # fmt: skip
EXPORTABLE = ("rnn", "lstm", "gru")  # to ONNX: those that have an operator there
WITHOUT_GATES = ("rnn", "echo_state", "transformer")
CELL_OPTIONS = ("conv_lstm", "echo_state", "transformer")  # sections used by the cell of the same name only


class BigramParams(Section):
    """Hashed embeddings of bigrams: number of features (0: none), rows of the hash table."""

    size: Annotated[int, Field(ge=0)]
    buckets: PositiveInt


class ConvLSTMParams(Section):
    """Options of `conv_lstm`: tokens per time step."""

    window: PositiveInt


class EchoStateParams(Section):
    """Options of `echo_state`: spectral radius of the recurrent weights, leak rate, largest input weight."""

    spectral_radius: PositiveFloat
    leak_rate: Annotated[float, Field(gt=0, le=1)]
    input_scaling: PositiveFloat


class TransformerParams(Section):
    """Options of `transformer`: heads of the self-attention."""

    num_heads: PositiveInt


class AugmentationParams(Section):
    """Short texts beside the reviews: their fraction of an epoch, their kinds; spans of unlabeled reviews.

    `spans`: so many runs of sentences, labeled by the teachers, are learned with their pseudo-labels.
    """

    fraction: Annotated[float, Field(ge=0, lt=1)]
    kinds: Annotated[list[Literal["frames", "rewrites", "neutral"]], Field(min_length=1)]
    spans: Annotated[int, Field(ge=0)]


class ModelParams(Section):
    """An architecture: input, network and training."""

    # input
    vocab_size: Annotated[int, Field(ge=3)]
    max_length: PositiveInt
    truncation: Literal["head", "tail", "head_tail"]
    padding: Literal["post", "pre"]
    # network
    cell: Cell
    bidirectional: bool
    num_layers: PositiveInt
    embedding_size: PositiveInt
    hidden_size: PositiveInt
    initializer: Literal["keras", "torch"]
    chrono_init: Annotated[int, Field(ge=2)] | None
    merge_mode: Literal["concat", "sum", "mean", "max", "probability"]
    pooling: Annotated[list[Literal["last", "mean", "max", "attention"]], Field(min_length=1)]
    word_dropout: Fraction
    embedding_dropout: Fraction
    dropout: Fraction
    bigrams: BigramParams
    conv_lstm: ConvLSTMParams
    echo_state: EchoStateParams
    transformer: TransformerParams
    # training
    word_vectors: bool
    augmentation: AugmentationParams
    teachers: list[Name]
    distillation_epochs: PositiveInt
    protocol: Literal["holdout", "keras_reference"]
    optimizer: Literal["adam", "cma_es"]
    trainable: Literal["all", "readout", "readout_and_biases"]
    batch_size: PositiveInt
    max_epochs: PositiveInt
    patience: PositiveInt
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    lr_schedule: Literal["constant", "one_cycle"]
    adam_epsilon: PositiveFloat
    gradient_clip: PositiveFloat | None
    label_smoothing: Fraction
    adversarial_epsilon: PositiveFloat | None
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None
    seeds: Annotated[list[int], Field(min_length=1)]
    refit: bool
    ensemble: bool

    @model_validator(mode="after")
    def _compatible(self) -> "ModelParams":
        for key in ("pooling", "seeds", "teachers"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: duplicate values")
        features, heads = self.embedding_size + self.bigrams.size, self.transformer.num_heads
        if self.cell == "transformer" and features % heads:
            raise ValueError(
                f"embedding_size: {features} features of a token are not divisible by transformer.num_heads, {heads}"
            )
        if self.refit and self.protocol == "keras_reference":
            raise ValueError("refit: should be false, protocol keras_reference trains on validation already")
        if self.optimizer == "cma_es" and self.trainable == "all":
            raise ValueError(
                "trainable: all is too many parameters for optimizer cma_es: use readout or readout_and_biases"
            )
        if self.optimizer == "cma_es" and self.ema_decay is not None:
            raise ValueError("ema_decay: should be empty, optimizer cma_es has a mean of its own")
        if self.adversarial_epsilon is not None and self.cell == "echo_state":
            raise ValueError("adversarial_epsilon: should be empty, a reservoir passes no gradient to the embeddings")
        if self.trainable == "readout_and_biases" and self.cell in WITHOUT_GATES:
            raise ValueError(
                f"trainable: readout_and_biases needs a cell with gates, {self.cell} has none: use readout"
            )
        return self

    def uses(self, key: str) -> bool:
        """Whether the parameter `key`, dotted if it is nested, applies to this cell and optimizer."""
        section = key.split(".")[0]
        if section in CELL_OPTIONS and section != self.cell:
            return False
        return self.optimizer != "cma_es" or key not in UNUSED_BY_CMA_ES

    def architecture(self) -> dict[str, Any]:
        """Arguments of `models.Classifier`."""
        names = {
            "vocab_size", "embedding_size", "cell", "hidden_size", "num_layers", "bidirectional", "initializer",
            "chrono_init", "merge_mode", "pooling", "word_dropout", "embedding_dropout", "dropout",
        }  # fmt: skip
        options = getattr(self, self.cell).model_dump() if self.cell in CELL_OPTIONS else {}
        bigrams = {"bigram_size": self.bigrams.size, "bigram_buckets": self.bigrams.buckets}
        return self.model_dump(include=names) | bigrams | {"cell_options": options}

    def encoding(self) -> dict[str, Any]:
        """Arguments of `data.batches.Encoding`."""
        return self.model_dump(include={"vocab_size", "max_length", "truncation", "padding"})

    def seed_independent(self) -> dict[str, Any]:
        """Parameters of the training of one seed: all except `seeds` and `ensemble`."""
        return self.model_dump(exclude={"seeds", "ensemble"})

    def flat(self) -> dict[str, Any]:
        """Parameters by dotted name, as in `search.space` and MLflow, without those of other cells and optimizers."""
        values: dict[str, Any] = {}
        for key, value in self.model_dump().items():
            if isinstance(value, dict):
                values |= {f"{key}.{name}": nested for name, nested in value.items()}
            else:
                values[key] = value
        return {key: value for key, value in values.items() if self.uses(key)}
