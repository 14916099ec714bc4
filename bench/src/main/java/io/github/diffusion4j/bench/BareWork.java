package io.github.diffusion4j.bench;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What a guided generation asks of the networks, in numbers.
 *
 * @param prompts token ids of the negative prompt and of the prompt
 * @param latents shape of the latents
 * @param factor pixels per latent cell
 * @param timesteps one for each run of the denoiser
 */
record BareWork(List<long[]> prompts, LatentShape latents, int factor, List<Double> timesteps) {

  BareWork {
    prompts = List.copyOf(prompts);
    timesteps = List.copyOf(timesteps);
  }

  /** Takes from the pipeline's parts what the networks will be given. */
  static BareWork of(GenerationRequest request, Stages stages, Path model) throws IOException {
    int factor = stages.codec().factor();
    LatentShape latents =
        new LatentShape(
            request.images(),
            stages.codec().latentChannels(),
            request.height().orElseThrow() / factor,
            request.width().orElseThrow() / factor);
    SchedulerRun run =
        request
            .scheduler()
            .resolve(stages.facts().schedulerConfig())
            .start(request.plan().orElseThrow(), latents.sample(), new TorchNoise(0));
    double[] timesteps = run.timesteps();
    List<Double> asked =
        java.util.stream.IntStream.range(0, run.evaluations())
            .mapToObj(i -> timesteps[Math.min(i, timesteps.length - 1)])
            .toList();
    try (Tokenizer tokenizer = Tokenizers.load(model.resolve("tokenizer"))) {
      return new BareWork(
          List.of(
              tokenizer.encode(request.negativePromptOfEachImage().get(0)).toLongArray(),
              tokenizer.encode(request.promptOfEachImage().get(0)).toLongArray()),
          latents,
          factor,
          asked);
    }
  }
}
