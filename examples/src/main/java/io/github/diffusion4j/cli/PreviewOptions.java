package io.github.diffusion4j.cli;

import io.github.diffusion4j.LatentColors;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.family.Autoencoder;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whether pictures can be watched while they are painted. */
final class PreviewOptions {

  @Option(
      names = "--preview",
      paramLabel = "N",
      description =
          "Every N evaluations write what the picture looks like so far beside it, as"
              + " NAME.preview.png, which goes away when the picture is there.")
  private Integer every;

  @Option(
      names = "--preview-model",
      paramLabel = "DIR",
      description =
          "Autoencoder for previews (folder with vae_decoder), such as a tiny one (TAESD). Default:"
              + " none, colours are taken from the latents.")
  private Path model;

  void check() {
    if (every != null && every < 1) {
      throw new IllegalArgumentException("--preview must be at least 1, got " + every);
    }
    if (every == null && model != null) {
      throw new IllegalArgumentException("--preview-model needs --preview N");
    }
  }

  /** Opens what makes the previews. */
  Optional<PreviewFile> open(
      StableDiffusionPipeline pipeline, RuntimeOptions options, Session session)
      throws IOException {
    if (every == null) {
      return Optional.empty();
    }
    int factor = pipeline.stages().codec().factor();
    if (model == null) {
      LatentColors colors = LatentColors.of(pipeline.stages());
      return Optional.of(new PreviewFile(session, every, colors, new PreviewFile.Size(factor)));
    }
    Autoencoder tiny = Autoencoder.load(model, options);
    int channels = pipeline.stages().codec().latentChannels();
    if (tiny.latentChannels() != channels) {
      tiny.close();
      throw new IllegalArgumentException(
          "--preview-model %s decodes latents of %d channels, those of the model have %d"
              .formatted(model, tiny.latentChannels(), channels));
    }
    return Optional.of(
        new PreviewFile(
            session, every, tiny, new PreviewFile.Size((double) factor / tiny.factor())));
  }
}
