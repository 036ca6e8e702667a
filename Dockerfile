# A server of a registered version, without torch and without this project (docs/serving.md):
#   mlflow artifacts download --artifact-uri models:/imdb-bilstm@champion --dst-path image
#   docker build --tag imdb-bilstm --file Dockerfile image && docker run --publish 5001:5001 imdb-bilstm
FROM python:3.12-slim
WORKDIR /srv
COPY . model
# mlflow-skinny loads and serves a version as mlflow does, at half the size; pandas holds the texts of a request
RUN sed "s/^mlflow==/mlflow-skinny==/" model/requirements.txt > requirements.txt && pip install --no-cache-dir --requirement requirements.txt "pandas<4"
EXPOSE 5001
USER nobody
CMD ["mlflow", "models", "serve", "--model-uri", "model", "--env-manager", "local", "--host", "0.0.0.0", "--port", "5001"]
