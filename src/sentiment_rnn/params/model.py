"""The section of an architecture: `model`, and each of `models`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sentiment_rnn.params.section import Count, Name, Section, Share

UNREAD_BY_CMA_ES = (
    "word_dropout", "embedding_dropout", "dropout", "learning_rate", "schedule", "adam_epsilon", "gradient_clip",
    "label_smoothing", "adversarial",
)  # fmt: skip
# the names in `models.ENCODERS`, which is not imported: a stage that needs no torch does not wait for it
Cell = Literal[
    "rnn", "lstm", "gru", "peephole", "coupled", "mlstm", "conv_lstm", "echo_state", "transformer"
]  # fmt: skip
WITHOUT_GATES = ("rnn", "echo_state", "transformer")


class ModelParams(Section):
    """One architecture: what it reads, what it is made of, how it is trained."""

    # what it reads
    vocab_size: Annotated[int, Field(ge=3)]
    max_length: Count
    truncation: Literal["head", "tail", "both"]
    padding: Literal["back", "front"]
    # what it is made of
    cell: Cell
    bidirectional: bool
    num_layers: Count
    embedding_size: Count
    bigram_size: Annotated[int, Field(ge=0)]
    bigram_buckets: Count
    hidden_size: Count
    initial: Literal["keras", "torch"]
    memory: Annotated[int, Field(ge=2)] | None
    merge: Literal["concat", "sum", "mean", "max", "probability"]
    window: Count
    spectral_radius: Annotated[float, Field(gt=0)]
    leak: Annotated[float, Field(gt=0, le=1)]
    input_scale: Annotated[float, Field(gt=0)]
    heads: Count
    pooling: Annotated[list[Literal["last", "mean", "max", "attention"]], Field(min_length=1)]
    word_dropout: Share
    embedding_dropout: Share
    dropout: Share
    # how it is trained
    pretrained: bool
    teachers: list[Name]
    teacher_epochs: Count
    optimizer: Literal["adam", "cma_es"]
    trained: Literal["all", "readout", "readout_and_biases"]
    protocol: Literal["holdout", "document"]
    batch_size: Count
    max_epochs: Count
    patience: Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["constant", "one_cycle"]
    adam_epsilon: Annotated[float, Field(gt=0)]
    gradient_clip: Annotated[float, Field(gt=0)] | None
    label_smoothing: Share
    adversarial: Annotated[float, Field(gt=0)] | None
    ema: Annotated[float, Field(gt=0, lt=1)] | None
    seeds: Annotated[list[int], Field(min_length=1)]
    refit: bool
    # what becomes of it
    average: bool

    @model_validator(mode="after")
    def _possible(self) -> "ModelParams":
        if len(set(self.pooling)) < len(self.pooling):
            raise ValueError("pooling names the same way twice")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds names the same seed twice")
        if len(set(self.teachers)) < len(self.teachers):
            raise ValueError("teachers names the same one twice")
        read = self.embedding_size + self.bigram_size
        if self.cell == "transformer" and read % self.heads:
            raise ValueError(f"embedding_size: {read} features of a token do not divide among {self.heads} heads")
        if self.refit and self.protocol == "document":
            raise ValueError("refit: protocol document trains on validation as it is: false")
        if self.optimizer == "cma_es" and self.trained == "all":
            raise ValueError("trained: all is too many parameters for optimizer cma_es; readout or readout_and_biases")
        if self.optimizer == "cma_es" and self.ema is not None:
            raise ValueError("ema: CMA-ES keeps a mean of its own: null")
        if self.trained == "readout_and_biases" and self.cell in WITHOUT_GATES:
            raise ValueError(f"trained: readout_and_biases needs a cell with gates, which {self.cell} is not; readout")
        return self

    def reads(self, key: str) -> bool:
        """Whether the parameter `key` makes a difference to the training."""
        return self.optimizer != "cma_es" or key not in UNREAD_BY_CMA_ES

    def architecture(self) -> dict[str, Any]:
        """The arguments of `models.Classifier`."""
        names = {
            "vocab_size", "embedding_size", "bigram_size", "bigram_buckets", "cell", "hidden_size",
            "num_layers", "bidirectional", "initial", "memory", "merge", "window", "spectral_radius", "leak",
            "input_scale", "heads", "pooling", "word_dropout", "embedding_dropout", "dropout",
        }  # fmt: skip
        return self.model_dump(include=names)

    def of_one_seed(self) -> dict[str, Any]:
        """What decides a training besides its seed: all but which seeds there are, and what becomes of their models."""
        return self.model_dump(exclude={"seeds", "average"})

    def encoding(self) -> dict[str, Any]:
        """The arguments of `data.batches.Encoding`."""
        return self.model_dump(include={"vocab_size", "max_length", "truncation", "padding"})


def with_values(model: ModelParams, values: dict[str, Any]) -> ModelParams:
    """`model` with some of its values changed, validated again."""
    return ModelParams(**(model.model_dump() | values))
