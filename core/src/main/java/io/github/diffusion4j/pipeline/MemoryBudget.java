package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.family.MemoryNeeds;
import io.github.diffusion4j.family.MemoryPlan;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Keeps generations within a limit: chooses the fastest plan that fits, refuses what fits under
 * none. Thread-safe.
 *
 * @param limit most bytes that a generation may be estimated to take
 * @param layout the model
 * @param needs of the model
 * @param options as the user gave them
 */
record MemoryBudget(long limit, ModelLayout layout, MemoryNeeds needs, RuntimeOptions options) {

  private static final System.Logger LOG = System.getLogger(MemoryBudget.class.getName());

  private static final double MIB = 1L << 20;

  /**
   * The budget of a model; empty without a limit. Kernels stay small where with large ones not all
   * networks fit.
   */
  static Optional<MemoryBudget> of(ModelLayout layout, RuntimeOptions options) throws IOException {
    if (options.memoryLimit() == 0) {
      return Optional.empty();
    }
    MemoryNeeds needs = MemoryNeeds.of(layout, options);
    RuntimeOptions kept = options;
    if (options.winograd() && MemoryNeeds.BASE + needs.alwaysResident() >= options.memoryLimit()) {
      kept = options.toBuilder().winograd(false).build();
      needs = MemoryNeeds.of(layout, kept);
    }
    return Optional.of(new MemoryBudget(options.memoryLimit(), layout, needs, kept));
  }

  /**
   * Options that fit: networks on demand where not all of them can stay, tiles for what does not
   * fit beside the networks alone.
   */
  RuntimeOptions fitted() {
    long resident = MemoryNeeds.BASE + needs.alwaysResident();
    boolean all =
        options.residency() == Residency.ALL
            || options.residency() == Residency.AUTO && resident < limit;
    long others = all ? resident : MemoryNeeds.BASE + needs.decoderWeights();
    RuntimeOptions.Builder fitted =
        options.toBuilder().residency(all ? Residency.ALL : Residency.ON_DEMAND);
    if (limitsTiles()) {
      fitted.vaeTiling(options.vaeTiling().withMemoryLimit(Math.max(1, limit - others)));
    }
    return fitted.build();
  }

  /** Whether nobody else says when the autoencoder works on tiles. */
  private boolean limitsTiles() {
    VaeTiling tiling = options.vaeTiling();
    return tiling.mode() == VaeTiling.Mode.AUTO && tiling.memoryLimit() == 0;
  }

  /** This budget for an open model. */
  Equipment.Budget of(Stages stages, OrtRuntime runtime) {
    return new Equipment.Budget() {
      private final AtomicReference<MemoryNeeds> open = new AtomicReference<>(needs);

      @Override
      public GenerationRequest fit(GenerationRequest request) {
        Estimate estimate = estimate(request);
        GenerationRequest fitted = MemoryBudget.this.fit(request, estimate, runtime);
        open.accumulateAndGet(estimate.needs(), (earlier, latest) -> latest.keeping(earlier));
        return fitted;
      }

      @Override
      public LatentCodec decoder(LatentCodec codec, GenerationRequest fitted) {
        if (!limitsTiles()) {
          return codec;
        }
        Estimate estimate = estimate(fitted);
        long beside = estimate.besideDecoding(plan(fitted, estimate));
        return codec.withMemoryLimit(Math.max(1, limit - beside));
      }

      private Estimate estimate(GenerationRequest request) {
        MemoryNeeds own = needs(request);
        return new Estimate(own, own.keeping(open.get()), work(request, stages));
      }
    };
  }

  /** With what a request has opened beside the model's own networks. */
  private MemoryNeeds needs(GenerationRequest request) {
    try {
      MemoryNeeds reusing = needs.reusing(layout, options, request.featureReuse());
      return request.loras().isEmpty() ? reusing : reusing.changedByLoras(layout, options);
    } catch (IOException e) {
      throw new InferenceException("unet", "cannot be read for feature reuse or a LoRA", e);
    }
  }

  /**
   * What a generation takes.
   *
   * @param needs of what it uses
   * @param open of what is open where all networks are resident, earlier generations' among it
   * @param work the generation
   */
  private record Estimate(MemoryNeeds needs, MemoryNeeds open, MemoryNeeds.Work work) {
    long peak(MemoryPlan plan) {
      return of(plan).peak(plan, work);
    }

    long besideDecoding(MemoryPlan plan) {
      return of(plan).besideDecoding(plan, work);
    }

    private MemoryNeeds of(MemoryPlan plan) {
      return plan.residency() == Residency.ALL ? open : needs;
    }
  }

  private static MemoryNeeds.Work work(GenerationRequest request, Stages stages) {
    return new MemoryNeeds.Work(
        request.width().orElseThrow(),
        request.height().orElseThrow(),
        request.images(),
        guidance(request, stages).branches());
  }

  /** As the generation will take it: with the branches of its prompts and its task. */
  private static Guidance guidance(GenerationRequest request, Stages stages) {
    PromptPlan prompts = PromptPlan.of(request, stages.rules().guidance(request));
    return request.init().guidance(prompts.guidance());
  }

  private MemoryPlan plan(GenerationRequest request, Estimate estimate) {
    return MemoryPlan.ALL.stream()
        .filter(candidate -> allowed(candidate, request))
        .filter(candidate -> estimate.peak(candidate) <= limit)
        .findFirst()
        .orElseThrow(() -> refused(request, estimate));
  }

  private GenerationRequest fit(GenerationRequest request, Estimate estimate, OrtRuntime runtime) {
    MemoryPlan plan = plan(request, estimate);
    if (plan.residency() == Residency.ON_DEMAND) {
      runtime.keepOnlyWhatIsUsed();
    }
    LOG.log(
        System.Logger.Level.DEBUG,
        () -> "memory plan: %s, about %s".formatted(plan, size(estimate.peak(plan))));
    return request.toBuilder().batching(plan.batching()).build();
  }

  private boolean allowed(MemoryPlan plan, GenerationRequest request) {
    boolean residency =
        options.residency() == Residency.AUTO || options.residency() == plan.residency();
    boolean batching =
        request.batching() == BranchBatching.TOGETHER || request.batching() == plan.batching();
    boolean tiling =
        switch (options.vaeTiling().mode()) {
          case AUTO -> true;
          case ON -> plan.tiled();
          case OFF -> !plan.tiled();
        };
    return residency && batching && tiling;
  }

  private IllegalArgumentException refused(GenerationRequest request, Estimate estimate) {
    MemoryPlan least =
        MemoryPlan.ALL.stream()
            .filter(candidate -> allowed(candidate, request))
            .min((one, other) -> Long.compare(estimate.peak(one), estimate.peak(other)))
            .orElseThrow();
    return new IllegalArgumentException(
        "%d image(s) of %d x %d need about %s of memory at the least (%s), the limit is %s; use a smaller size, fewer images or a higher limit"
            .formatted(
                estimate.work.images(),
                estimate.work.width(),
                estimate.work.height(),
                size(estimate.peak(least)),
                least,
                size(limit)));
  }

  private static String size(long bytes) {
    return String.format(Locale.ROOT, "%,.0f MiB", bytes / MIB);
  }
}
