"""The network of the tasks that need memory: one recurrent layer and a linear readout."""

from torch import Tensor, nn

from sentiment_rnn.models.encoders import ENCODERS
from sentiment_rnn.models.initializers import initialize
from sentiment_rnn.params import ModelParams
from sentiment_rnn.studies.claims.tasks import Sequences, Task


class Network(nn.Module):
    """A recurrent layer and a linear readout of its states; token ids are embedded first."""

    def __init__(self, task: Task, model: ModelParams) -> None:
        super().__init__()
        self.task = task
        embedded = task.vocabulary
        self.embedding = nn.Embedding(task.features, model.embedding_size) if embedded else None
        features = model.embedding_size if embedded else task.features
        self.encoder = ENCODERS[model.cell](features, model.hidden_size, 1, False, 0.0)
        self.readout = nn.Linear(model.hidden_size, task.outputs)
        # not the embedding: torch's has a variance of 1, as the other tasks' inputs have about
        initialize(nn.ModuleList([self.encoder, self.readout]), model.initializer, model.chrono_init)

    def embed(self, sequences: Sequences) -> Tensor:
        """The features of each step, `(T, B, F)`."""
        return sequences.inputs if self.embedding is None else self.embedding(sequences.inputs)

    def predict(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """The predictions of embedded sequences."""
        return self.task.predict(self.readout(self.encoder(embedded, lengths)), lengths)

    def forward(self, sequences: Sequences) -> Tensor:
        """The predictions."""
        return self.predict(self.embed(sequences), sequences.lengths)
