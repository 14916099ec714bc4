package io.github.diffusion4j.cli;

import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.family.ModelExport;
import io.github.diffusion4j.family.ModelLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model as ONNX files. */
@Command(
    name = "export",
    description =
        "Write a model of safetensors as a folder of ONNX files, which ONNX Runtime runs and"
            + " Hugging Face optimum opens in Python.")
final class ExportCommand implements Callable<Integer> {

  private final Session session;

  @Parameters(
      paramLabel = "MODEL",
      description = "The model's folder, or a checkpoint in one file.")
  private Path model;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      required = true,
      description = "The folder to write: new or empty.")
  private Path out;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      converter = PrecisionConverter.class,
      description = "What the networks compute in: fp32, fp16 or bf16. Default: as stored.")
  private Precision precision = Precision.STORED;

  @Mixin private CheckpointOptions checkpoint;

  ExportCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    new ModelExport(ModelLayout.of(model, checkpoint.hints()), precision).write(out);
    session.out().println(out);
    session.out().flush();
    return 0;
  }
}
