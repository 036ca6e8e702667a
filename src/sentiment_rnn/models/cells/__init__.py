"""Recurrent cells that torch lacks: each is its equations, run over time in one direction."""

from sentiment_rnn.models.cells.convolutional import ConvLSTM
from sentiment_rnn.models.cells.layer import CellLayer
from sentiment_rnn.models.cells.lstm import CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.cells.reservoir import EchoState

__all__ = ["CellLayer", "ConvLSTM", "CoupledLSTM", "EchoState", "MultiplicativeLSTM", "PeepholeLSTM"]
