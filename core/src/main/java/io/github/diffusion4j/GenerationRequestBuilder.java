package io.github.diffusion4j;

import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Collects a {@link GenerationRequest}, which begins and checks it; not thread-safe. */
public final class GenerationRequestBuilder {
  private final List<String> prompts;
  private List<String> negativePrompts = List.of();
  private OptionalInt width = OptionalInt.empty();
  private OptionalInt height = OptionalInt.empty();
  private Optional<StepPlan> plan = Optional.empty();
  private SchedulerChoice scheduler = new SchedulerChoice.ModelDefault();
  private GuidanceOptions guidance = GuidanceOptions.DEFAULT;
  private OptionalDouble eta = OptionalDouble.empty();
  private List<Long> seeds = List.of();
  private NoiseKind noiseKind = NoiseKind.TORCH_CPU;
  private int imagesPerPrompt = 1;
  private BranchBatching batching = BranchBatching.TOGETHER;
  private Init init = new Init.FromNoise();
  private TextOptions text = TextOptions.DEFAULT;
  private SizeConditioning sizes = SizeConditioning.DEFAULT;
  private Controls controls = Controls.NONE;
  private Optional<ImagePrompt> imagePrompt = Optional.empty();
  private List<Lora> loras = List.of();
  private FeatureReuse featureReuse = FeatureReuse.OFF;

  GenerationRequestBuilder(List<String> prompts) {
    this.prompts = List.copyOf(prompts);
  }

  static GenerationRequestBuilder of(GenerationRequest request) {
    GenerationRequestBuilder builder = new GenerationRequestBuilder(request.prompts());
    builder.like(request);
    builder.negativePrompts = request.negativePrompts();
    builder.seeds = request.seeds();
    builder.imagesPerPrompt = request.imagesPerPrompt();
    return builder;
  }

  /**
   * Takes everything but prompts, seeds and number of images from another request.
   *
   * @param other the other request
   * @return this
   */
  public GenerationRequestBuilder like(GenerationRequest other) {
    width = other.width();
    height = other.height();
    plan = other.plan();
    scheduler = other.scheduler();
    guidance = other.guidance();
    eta = other.eta();
    noiseKind = other.noiseKind();
    batching = other.batching();
    init = other.init();
    text = other.text();
    sizes = other.sizes();
    controls = other.controls();
    imagePrompt = other.imagePrompt();
    loras = other.loras();
    featureReuse = other.featureReuse();
    return this;
  }

  /**
   * What to keep away from.
   *
   * @param values one for all prompts, or one for each
   * @return this
   */
  public GenerationRequestBuilder negativePrompt(String... values) {
    negativePrompts = List.of(values);
    return this;
  }

  /**
   * Size of the pictures.
   *
   * @param widthPixels a multiple of what the model asks for
   * @param heightPixels a multiple of what the model asks for
   * @return this
   */
  public GenerationRequestBuilder size(int widthPixels, int heightPixels) {
    return width(widthPixels).height(heightPixels);
  }

  /**
   * Width of the pictures.
   *
   * @param pixels a multiple of what the model asks for
   * @return this
   */
  public GenerationRequestBuilder width(int pixels) {
    width = OptionalInt.of(pixels);
    return this;
  }

  /**
   * Height of the pictures.
   *
   * @param pixels a multiple of what the model asks for
   * @return this
   */
  public GenerationRequestBuilder height(int pixels) {
    height = OptionalInt.of(pixels);
    return this;
  }

  /**
   * Number of steps.
   *
   * @param count at least 1
   * @return this
   */
  public GenerationRequestBuilder steps(int count) {
    return plan(StepPlan.steps(count));
  }

  /**
   * Which steps to take.
   *
   * @param value a number, timesteps or sigmas
   * @return this
   */
  public GenerationRequestBuilder plan(StepPlan value) {
    plan = Optional.of(value);
    return this;
  }

  /**
   * Another solver on the model's own configuration.
   *
   * @param name such as {@code euler-a}, {@code DPM++ 2M Karras} or {@code DDIMScheduler}
   * @return this
   */
  public GenerationRequestBuilder scheduler(String name) {
    scheduler = new SchedulerChoice.Named(name);
    return this;
  }

  /**
   * A solver as it is.
   *
   * @param value the solver
   * @return this
   */
  public GenerationRequestBuilder scheduler(Scheduler value) {
    scheduler = new SchedulerChoice.Given(value);
    return this;
  }

  /**
   * How far and how to follow the prompts.
   *
   * @param options all of guidance at once
   * @return this
   */
  public GenerationRequestBuilder guidance(GuidanceOptions options) {
    guidance = options;
    return this;
  }

  /**
   * Classifier-free guidance.
   *
   * @param scale on above 1
   * @return this
   */
  public GenerationRequestBuilder guidanceScale(double scale) {
    return guidance(guidance.withScale(scale));
  }

  /**
   * Guides only a part of the generation.
   *
   * @param start fraction of the evaluations before it
   * @param stop fraction of the evaluations up to its end
   * @return this
   */
  public GenerationRequestBuilder guidanceInterval(double start, double stop) {
    return guidance(guidance.withInterval(new GuidanceInterval(start, stop)));
  }

  /**
   * Changes the guidance scale over the generation.
   *
   * @param schedule what it is multiplied with
   * @return this
   */
  public GenerationRequestBuilder guidanceSchedule(GuidanceSchedule schedule) {
    return guidance(guidance.withSchedule(schedule));
  }

  /**
   * Another way to make one prediction of the prompt's and the negative branch.
   *
   * @param method such as {@link GuidanceMethod.AdaptiveProjected}
   * @return this
   */
  public GenerationRequestBuilder guidanceMethod(GuidanceMethod method) {
    return guidance(guidance.withMethod(method));
  }

  /**
   * Restores the contrast that strong guidance takes.
   *
   * @param factor 0 (off) to 1
   * @return this
   */
  public GenerationRequestBuilder guidanceRescale(double factor) {
    return guidance(guidance.withRescale(factor));
  }

  /**
   * Noise that DDIM and its kin add back in each step.
   *
   * @param value 0 to 1
   * @return this
   */
  public GenerationRequestBuilder eta(double value) {
    eta = OptionalDouble.of(value);
    return this;
  }

  /**
   * Seeds of the noise.
   *
   * @param values one for all images together, or one for each
   * @return this
   */
  public GenerationRequestBuilder seed(long... values) {
    seeds = Arrays.stream(values).boxed().toList();
    return this;
  }

  /**
   * Which random number generator the seeds belong to.
   *
   * @param kind such as torch on the CPU
   * @return this
   */
  public GenerationRequestBuilder noiseKind(NoiseKind kind) {
    noiseKind = kind;
    return this;
  }

  /**
   * Images of each prompt.
   *
   * @param count at least 1
   * @return this
   */
  public GenerationRequestBuilder imagesPerPrompt(int count) {
    imagesPerPrompt = count;
    return this;
  }

  /**
   * How guidance's branches go through the denoiser.
   *
   * @param value together (faster) or one by one (less memory)
   * @return this
   */
  public GenerationRequestBuilder batching(BranchBatching value) {
    batching = value;
    return this;
  }

  /**
   * What to begin with.
   *
   * @param value noise by default
   * @return this
   */
  public GenerationRequestBuilder init(Init value) {
    init = value;
    return this;
  }

  /**
   * How the prompts are read.
   *
   * @param options as the model has it by default
   * @return this
   */
  public GenerationRequestBuilder text(TextOptions options) {
    text = options;
    return this;
  }

  /**
   * What SDXL is told of sizes and looks.
   *
   * @param conditioning the picture's own size by default
   * @return this
   */
  public GenerationRequestBuilder sizes(SizeConditioning conditioning) {
    sizes = conditioning;
    return this;
  }

  /**
   * Classifier-free guidance beside the guidance scale that a network like FLUX takes as input.
   *
   * @param scale on above 1, where there is a negative prompt
   * @return this
   */
  public GenerationRequestBuilder trueGuidanceScale(double scale) {
    return guidance(guidance.withTrueScale(scale));
  }

  /**
   * Pictures that steer where things are painted, each read by a network of its own.
   *
   * @param values in the order of the model's networks
   * @return this
   */
  public GenerationRequestBuilder controls(Control... values) {
    controls = new Controls(List.of(values), controls.guessMode());
    return this;
  }

  /**
   * Whether the controls' networks are to find out by themselves what the pictures show.
   *
   * @param on as in {@link Controls}
   * @return this
   */
  public GenerationRequestBuilder guessMode(boolean on) {
    controls = new Controls(controls.list(), on);
    return this;
  }

  /**
   * Pictures that say what is painted, for a model with an IP-Adapter.
   *
   * @param value pictures and how much they count
   * @return this
   */
  public GenerationRequestBuilder imagePrompt(ImagePrompt value) {
    imagePrompt = Optional.of(value);
    return this;
  }

  /**
   * Words alone say what is painted.
   *
   * @return this
   */
  public GenerationRequestBuilder withoutImagePrompt() {
    imagePrompt = Optional.empty();
    return this;
  }

  /**
   * LoRAs to paint with.
   *
   * @param values none, or several, whose changes add up
   * @return this
   */
  public GenerationRequestBuilder loras(Lora... values) {
    loras = List.of(values);
    return this;
  }

  /**
   * Reuses a UNet's features from step to step: faster, and another picture.
   *
   * @param value such as {@code FeatureReuse.every(3)}; off by default
   * @return this
   */
  public GenerationRequestBuilder featureReuse(FeatureReuse value) {
    featureReuse = value;
    return this;
  }

  /**
   * Makes the request.
   *
   * @return immutable
   * @throws IllegalArgumentException if a value is out of its range
   */
  public GenerationRequest build() {
    return new GenerationRequest(
        prompts,
        negativePrompts,
        width,
        height,
        plan,
        scheduler,
        guidance,
        eta,
        seeds,
        noiseKind,
        imagesPerPrompt,
        batching,
        init,
        text,
        sizes,
        controls,
        imagePrompt,
        loras,
        featureReuse);
  }
}
