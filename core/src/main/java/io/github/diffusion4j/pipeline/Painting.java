package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ConditioningSchedule;
import io.github.diffusion4j.ControlSchedule;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.Init;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.loop.DenoiseLoop;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * One generation: from a request with nothing left open to latents, and from these to pictures.
 *
 * @param stages the model
 * @param equipment the runtime and the safety check
 * @param listener told of every step
 * @param cancel stops the generation
 */
record Painting(Stages stages, Equipment equipment, StepListener listener, CancelToken cancel) {

  /**
   * A generation after its last step.
   *
   * @param request as it was resolved
   * @param scheduler the solver
   * @param init finishes the pictures
   * @param latents as the loop left them
   * @param shape of the latents
   * @param encode time before the first step
   * @param denoise time of the loop
   */
  record Denoised(
      GenerationRequest request,
      Scheduler scheduler,
      Init.Start init,
      float[] latents,
      LatentShape shape,
      Duration encode,
      Duration denoise) {}

  Denoised denoise(GenerationRequest request) {
    long start = System.nanoTime();
    request.controls().check(request, stages.denoiser());
    stages.denoiser().imagePrompts().check(request);
    requireNoControlsWithReuse(request);
    PromptPlan prompts = PromptPlan.of(request, stages.rules().guidance(request));
    Guidance guidance = request.init().guidance(prompts.guidance());
    LatentShape shape = LatentSizes.shape(request, stages, guidance.branches());
    Scheduler scheduler = scheduler(request);
    NoiseSource noise = request.noise();
    StepPlan plan = request.init().plan(stages.rules().plan(request, shape), stages.rules());
    SchedulerRun run = scheduler.start(plan, shape.sample(), noise);
    DenoiserModel model = stages.denoiser().reusing(request.featureReuse());
    int evaluations = run.evaluations() - run.index();
    ConditioningSchedule conditioning =
        prompts
            .encode(stages.encoder(), evaluations, cancel)
            .map(stages.denoiser().imagePrompts().encode(request, cancel));
    Init.Start init =
        request.init().begin(new Init.Context(request, stages, run, noise, shape, cancel));
    float[] x = init.latents();
    long encoded = System.nanoTime();
    try (Denoiser denoiser =
        conditioning
            .map(init::condition)
            .withBranches(guidance.branches(evaluations))
            .bind(steered(model, request, run, init), shape, request.batching(), cancel)) {
      new DenoiseLoop(denoiser, guidance, init::blend, cancel, listener).run(run, x, shape);
    }
    return new Denoised(
        request,
        scheduler,
        init,
        x,
        shape,
        Duration.ofNanos(encoded - start),
        Duration.ofNanos(System.nanoTime() - encoded));
  }

  private static void requireNoControlsWithReuse(GenerationRequest request) {
    if (request.featureReuse().isOn() && !request.controls().isEmpty()) {
      throw new IllegalArgumentException(
          "features cannot be reused in steps that control networks steer; leave the feature reuse"
              + " or the controls out");
    }
  }

  private static DenoiserModel steered(
      DenoiserModel model, GenerationRequest request, SchedulerRun run, Init.Start init) {
    return request.controls().isEmpty()
        ? model
        : model.controlled(ControlSchedule.of(request, model, run, init::view));
  }

  GenerationResult decode(Denoised denoised) {
    long start = System.nanoTime();
    LatentCodec codec = equipment.budget().decoder(stages.codec(), denoised.request());
    ImageTensor image = codec.decode(denoised.latents(), denoised.shape(), cancel);
    listener.onDecoded(image);
    SafetyCheck.Checked checked =
        equipment
            .safety()
            .check(Images.fromTensor(image.values(), image.width(), image.height()), cancel);
    List<BufferedImage> images = denoised.init().finish(checked.images());
    var timings =
        new Provenance.Timings(
            denoised.encode(), denoised.denoise(), Duration.ofNanos(System.nanoTime() - start));
    return new GenerationResult(
        images,
        new Provenance(
            denoised.request(),
            stages.facts().name(),
            denoised.scheduler(),
            new Provenance.Execution(
                equipment.runtime(), timings, image.decoding(), checked.report())));
  }

  private Scheduler scheduler(GenerationRequest request) {
    Scheduler scheduler = request.scheduler().resolve(stages.facts().schedulerConfig());
    return request.eta().isEmpty()
        ? scheduler
        : scheduler.with(Map.of("eta", request.eta().getAsDouble()));
  }
}
