"""Recurrent cells that torch does not have, each for one direction of one layer."""

from sentiment_rnn.models.cells.convolutional import ConvLSTM
from sentiment_rnn.models.cells.layer import CellLayer
from sentiment_rnn.models.cells.lstm import CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.cells.reservoir import EchoState

__all__ = ["CellLayer", "ConvLSTM", "CoupledLSTM", "EchoState", "MultiplicativeLSTM", "PeepholeLSTM"]
