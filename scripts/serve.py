"""Serve a pipeline over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from bert_ner import cli
from bert_ner.errors import InputError
from bert_ner.serving.access import TOKEN_VARIABLE, read_token
from bert_ner.serving.limits import Limits

PipelineArgument = Annotated[
    str, typer.Argument(metavar="PIPELINE", help="An installed pipeline or a folder.")
]
PipelineOption = Annotated[
    str | None, typer.Option("--pipeline", help="The pipeline, as an option. Overrides PIPELINE.")
]
HostOption = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0 for any free port.")]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        help=f"File with the token that requests must have. Without it, {TOKEN_VARIABLE} is read."
    ),
]
CharsOption = Annotated[int, typer.Option(min=1, help="Maximum characters per text.")]
TextsOption = Annotated[int, typer.Option(min=1, help="Maximum texts per request.")]
QueueOption = Annotated[int, typer.Option(min=1, help="Queue size in texts.")]
BatchOption = Annotated[int, typer.Option(min=1, help="Maximum texts per batch.")]
WaitOption = Annotated[
    float, typer.Option(min=0, help="Maximum milliseconds a text waits for a batch to fill.")
]


def main(
    pipeline: PipelineArgument = "en_bert_ner",
    pipeline_option: PipelineOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    token_file: TokenOption = None,
    max_chars: CharsOption = Limits.chars,
    max_texts: TextsOption = Limits.texts,
    queue: QueueOption = Limits.queue,
    max_batch: BatchOption = Limits.batch,
    max_wait_ms: WaitOption = Limits.wait_ms,
    gpu_id: cli.GpuOption = "auto",
) -> None:
    """Serve a pipeline over HTTP until it is stopped."""
    try:
        from bert_ner.serving.server import open_service
    except ModuleNotFoundError as e:
        raise InputError(f"{e.name} is missing. Run `pip install -e '.[serve]'`.") from e
    limits = Limits(max_chars, max_texts, queue, max_batch, wait_ms=max_wait_ms)
    token = read_token(token_file)
    name = pipeline_option or pipeline
    with open_service(
        name, host=host, port=port, limits=limits, token=token, gpu_id=gpu_id
    ) as service:
        if service.is_open:
            print(f"There is no token: anyone who can reach {host} can use this service.")
        print(f"{name} on {service.url}/docs", flush=True)
        service.run()


if __name__ == "__main__":
    cli.run(main)
