"""sentiment_rnn: IMDB reviews to a registered, evaluated BiLSTM, and a fair comparison of the recurrent family."""
