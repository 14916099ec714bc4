package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/**
 * What to paint. Immutable; made with {@link #prompt} or {@link #prompts}. Holds nothing that
 * belongs to a model: what is left open is taken from the model by {@link #resolve}.
 *
 * @param prompts what to paint, one or more
 * @param negativePrompts what to keep away from: none, one for all prompts, or one for each
 * @param width in pixels; empty for the model's own
 * @param height in pixels; empty for the model's own
 * @param plan how many steps or which; empty for the model's own number
 * @param scheduler which solver
 * @param guidanceScale classifier-free guidance, on above 1; empty for the model's own
 * @param guidanceRescale 0 (off) to 1
 * @param eta noise added back by DDIM and its kin, 0 to 1; empty for the solver's own
 * @param seeds none: one is chosen; one: it draws the noise of all images together, as one {@code
 *     torch.Generator} does; otherwise one for each image
 * @param noiseKind which random number generator the seeds belong to
 * @param imagesPerPrompt images of each prompt
 * @param batching whether guidance's branches go through the denoiser together
 * @param init what to begin with
 * @param text how the prompts are read
 * @param sizes what SDXL is told of sizes and looks
 * @param trueGuidanceScale classifier-free guidance of models whose own guidance scale is an input
 *     of the network (FLUX), on above 1 and with a negative prompt
 * @param controls pictures that steer where things are painted
 */
public record GenerationRequest(
    List<String> prompts,
    List<String> negativePrompts,
    OptionalInt width,
    OptionalInt height,
    Optional<StepPlan> plan,
    SchedulerChoice scheduler,
    OptionalDouble guidanceScale,
    double guidanceRescale,
    OptionalDouble eta,
    List<Long> seeds,
    NoiseKind noiseKind,
    int imagesPerPrompt,
    BranchBatching batching,
    Init init,
    TextOptions text,
    SizeConditioning sizes,
    double trueGuidanceScale,
    Controls controls) {

  /** Longest prompt, in characters. */
  public static final int MAX_PROMPT_LENGTH = 100_000;

  /** Most images of one request. */
  public static final int MAX_IMAGES = 1024;

  /** Checks everything that can be checked without a model. */
  public GenerationRequest {
    prompts = List.copyOf(prompts);
    negativePrompts = List.copyOf(negativePrompts);
    seeds = List.copyOf(seeds);
    requireNonNull(plan, "plan");
    requireNonNull(scheduler, "scheduler");
    requireNonNull(noiseKind, "noiseKind");
    requireNonNull(batching, "batching");
    requireNonNull(init, "init");
    requireNonNull(text, "text");
    requireNonNull(sizes, "sizes");
    requireNonNull(controls, "controls");
    require(!prompts.isEmpty(), "at least one prompt is needed");
    prompts.forEach(prompt -> checkLength("prompt", prompt));
    checkCount("negative prompt", negativePrompts, prompts);
    checkCount("prompt 2", text.prompts2(), prompts);
    checkCount("negative prompt 2", text.negativePrompts2(), prompts);
    checkCount("prompt 3", text.prompts3(), prompts);
    checkCount("negative prompt 3", text.negativePrompts3(), prompts);
    checkSize("width", width);
    checkSize("height", height);
    double scale = guidanceScale.orElse(0);
    require(Double.isFinite(scale), "guidance scale must be a finite number, got " + scale);
    require(
        guidanceRescale >= 0 && guidanceRescale <= 1,
        "guidance rescale must be in [0, 1], got " + guidanceRescale);
    require(
        Double.isFinite(trueGuidanceScale),
        "true guidance scale must be a finite number, got " + trueGuidanceScale);
    double noisiness = eta.orElse(0);
    require(noisiness >= 0 && noisiness <= 1, "eta must be in [0, 1], got " + noisiness);
    require(imagesPerPrompt >= 1, "images per prompt must be at least 1, got " + imagesPerPrompt);
    long images = (long) prompts.size() * imagesPerPrompt;
    require(
        images <= MAX_IMAGES,
        "one request paints at most " + MAX_IMAGES + " images, got " + images);
    require(
        seeds.size() <= 1 || seeds.size() == images,
        "expected no seed, one, or one for each of the " + images + " images, got " + seeds.size());
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }

  private static void checkLength(String name, String prompt) {
    require(
        prompt.length() <= MAX_PROMPT_LENGTH,
        name
            + " has "
            + prompt.length()
            + " characters, at most "
            + MAX_PROMPT_LENGTH
            + " are taken (and a text encoder reads only its first tokens)");
  }

  private static void checkCount(String name, List<String> texts, List<String> prompts) {
    texts.forEach(text -> checkLength(name, text));
    require(
        texts.size() <= 1 || texts.size() == prompts.size(),
        "expected no %s, one, or one for each of the %d prompts, got %d"
            .formatted(name, prompts.size(), texts.size()));
  }

  private static void checkSize(String name, OptionalInt size) {
    require(size.orElse(1) >= 1, name + " must be at least 1 pixel, got " + size.orElse(1));
  }

  /**
   * A request for one prompt.
   *
   * @param prompt what to paint; may be empty
   * @return a builder
   */
  public static Builder prompt(String prompt) {
    return prompts(List.of(prompt));
  }

  /**
   * A request for several prompts painted together.
   *
   * @param prompts what to paint
   * @return a builder
   */
  public static Builder prompts(List<String> prompts) {
    return new Builder(prompts);
  }

  /**
   * A request to a class-conditional model, whose prompts are numbers of classes.
   *
   * @param classes one for each picture
   * @return a builder
   */
  public static Builder classes(int... classes) {
    return prompts(java.util.Arrays.stream(classes).mapToObj(String::valueOf).toList());
  }

  /**
   * A request to an unconditional model, which takes no prompt.
   *
   * @return a builder
   */
  public static Builder unconditional() {
    return prompt("");
  }

  /**
   * This request as a builder.
   *
   * @return with everything set as here
   */
  public Builder toBuilder() {
    Builder builder = new Builder(prompts).like(this);
    builder.negativePrompts = negativePrompts;
    builder.seeds = seeds;
    builder.imagesPerPrompt = imagesPerPrompt;
    return builder;
  }

  /**
   * Number of images that this request paints.
   *
   * @return prompts · images per prompt
   */
  public int images() {
    return prompts.size() * imagesPerPrompt;
  }

  /**
   * Fills what is open with the model's defaults, and a chosen seed.
   *
   * @param facts the model's defaults
   * @return a request in which size, plan, guidance scale and seeds are set
   */
  public GenerationRequest resolve(ModelFacts facts) {
    Builder builder = toBuilder();
    builder.width = OptionalInt.of(width.orElse(facts.width()));
    builder.height = OptionalInt.of(height.orElse(facts.height()));
    builder.plan = Optional.of(plan.orElseGet(() -> StepPlan.steps(facts.steps())));
    builder.guidanceScale = OptionalDouble.of(guidanceScale.orElse(facts.guidanceScale()));
    if (seeds.isEmpty()) {
      builder.seeds = List.of(ThreadLocalRandom.current().nextLong(1L << 32));
    }
    return builder.build();
  }

  /**
   * The noise of this request's seeds.
   *
   * @return a new source: one that draws all images together, or one of its own for each image
   * @throws IllegalStateException if no seed is set
   */
  public NoiseSource noise() {
    if (seeds.isEmpty()) {
      throw new IllegalStateException("the request has no seed yet");
    }
    List<NoiseSource> sources = seeds.stream().map(noiseKind::create).toList();
    return sources.size() == 1 ? sources.get(0) : NoiseSource.perImage(sources);
  }

  /**
   * One prompt for each image.
   *
   * @return each prompt repeated for its images
   */
  public List<String> promptOfEachImage() {
    return ofEachImage(prompts);
  }

  /**
   * One negative prompt for each image.
   *
   * @return each repeated for its images; the empty text where none was given
   */
  public List<String> negativePromptOfEachImage() {
    return ofEachImage(negativePrompts);
  }

  /**
   * One text for each image.
   *
   * @param texts none, one for all prompts, or one for each prompt
   * @return each repeated for its images; the empty text where there is none
   */
  public List<String> ofEachImage(List<String> texts) {
    return switch (texts.size()) {
      case 0 -> Collections.nCopies(images(), "");
      case 1 -> Collections.nCopies(images(), texts.get(0));
      default ->
          IntStream.range(0, images()).mapToObj(i -> texts.get(i / imagesPerPrompt)).toList();
    };
  }

  /** Collects a request; not thread-safe. */
  public static final class Builder {
    private final List<String> prompts;
    private List<String> negativePrompts = List.of();
    private OptionalInt width = OptionalInt.empty();
    private OptionalInt height = OptionalInt.empty();
    private Optional<StepPlan> plan = Optional.empty();
    private SchedulerChoice scheduler = new SchedulerChoice.ModelDefault();
    private OptionalDouble guidanceScale = OptionalDouble.empty();
    private double guidanceRescale;
    private OptionalDouble eta = OptionalDouble.empty();
    private List<Long> seeds = List.of();
    private NoiseKind noiseKind = NoiseKind.TORCH_CPU;
    private int imagesPerPrompt = 1;
    private BranchBatching batching = BranchBatching.TOGETHER;
    private Init init = new Init.FromNoise();
    private TextOptions text = TextOptions.DEFAULT;
    private SizeConditioning sizes = SizeConditioning.DEFAULT;
    private double trueGuidanceScale = 1;
    private Controls controls = Controls.NONE;

    private Builder(List<String> prompts) {
      this.prompts = List.copyOf(prompts);
    }

    /**
     * Takes everything but prompts, seeds and number of images from another request.
     *
     * @param other the other request
     * @return this
     */
    public Builder like(GenerationRequest other) {
      width = other.width;
      height = other.height;
      plan = other.plan;
      scheduler = other.scheduler;
      guidanceScale = other.guidanceScale;
      guidanceRescale = other.guidanceRescale;
      eta = other.eta;
      noiseKind = other.noiseKind;
      batching = other.batching;
      init = other.init;
      text = other.text;
      sizes = other.sizes;
      trueGuidanceScale = other.trueGuidanceScale;
      controls = other.controls;
      return this;
    }

    /**
     * What to keep away from.
     *
     * @param values one for all prompts, or one for each
     * @return this
     */
    public Builder negativePrompt(String... values) {
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
    public Builder size(int widthPixels, int heightPixels) {
      return width(widthPixels).height(heightPixels);
    }

    /**
     * Width of the pictures.
     *
     * @param pixels a multiple of what the model asks for
     * @return this
     */
    public Builder width(int pixels) {
      width = OptionalInt.of(pixels);
      return this;
    }

    /**
     * Height of the pictures.
     *
     * @param pixels a multiple of what the model asks for
     * @return this
     */
    public Builder height(int pixels) {
      height = OptionalInt.of(pixels);
      return this;
    }

    /**
     * Number of steps.
     *
     * @param count at least 1
     * @return this
     */
    public Builder steps(int count) {
      return plan(StepPlan.steps(count));
    }

    /**
     * Which steps to take.
     *
     * @param value a number, timesteps or sigmas
     * @return this
     */
    public Builder plan(StepPlan value) {
      plan = Optional.of(value);
      return this;
    }

    /**
     * Another solver on the model's own configuration.
     *
     * @param name such as {@code euler-a}, {@code DPM++ 2M Karras} or {@code DDIMScheduler}
     * @return this
     */
    public Builder scheduler(String name) {
      scheduler = new SchedulerChoice.Named(name);
      return this;
    }

    /**
     * A solver as it is.
     *
     * @param value the solver
     * @return this
     */
    public Builder scheduler(Scheduler value) {
      scheduler = new SchedulerChoice.Given(value);
      return this;
    }

    /**
     * Classifier-free guidance.
     *
     * @param scale on above 1
     * @return this
     */
    public Builder guidanceScale(double scale) {
      guidanceScale = OptionalDouble.of(scale);
      return this;
    }

    /**
     * Restores the contrast that strong guidance takes.
     *
     * @param factor 0 (off) to 1
     * @return this
     */
    public Builder guidanceRescale(double factor) {
      guidanceRescale = factor;
      return this;
    }

    /**
     * Noise that DDIM and its kin add back in each step.
     *
     * @param value 0 to 1
     * @return this
     */
    public Builder eta(double value) {
      eta = OptionalDouble.of(value);
      return this;
    }

    /**
     * Seeds of the noise.
     *
     * @param values one for all images together, or one for each
     * @return this
     */
    public Builder seed(long... values) {
      seeds = java.util.Arrays.stream(values).boxed().toList();
      return this;
    }

    /**
     * Which random number generator the seeds belong to.
     *
     * @param kind such as torch on the CPU
     * @return this
     */
    public Builder noiseKind(NoiseKind kind) {
      noiseKind = kind;
      return this;
    }

    /**
     * Images of each prompt.
     *
     * @param count at least 1
     * @return this
     */
    public Builder imagesPerPrompt(int count) {
      imagesPerPrompt = count;
      return this;
    }

    /**
     * How guidance's branches go through the denoiser.
     *
     * @param value together (faster) or one by one (less memory)
     * @return this
     */
    public Builder batching(BranchBatching value) {
      batching = value;
      return this;
    }

    /**
     * What to begin with.
     *
     * @param value noise by default
     * @return this
     */
    public Builder init(Init value) {
      init = value;
      return this;
    }

    /**
     * How the prompts are read.
     *
     * @param options as the model has it by default
     * @return this
     */
    public Builder text(TextOptions options) {
      text = options;
      return this;
    }

    /**
     * What SDXL is told of sizes and looks.
     *
     * @param conditioning the picture's own size by default
     * @return this
     */
    public Builder sizes(SizeConditioning conditioning) {
      sizes = conditioning;
      return this;
    }

    /**
     * Classifier-free guidance beside the guidance scale that a network like FLUX takes as input.
     *
     * @param scale on above 1, where there is a negative prompt
     * @return this
     */
    public Builder trueGuidanceScale(double scale) {
      trueGuidanceScale = scale;
      return this;
    }

    /**
     * Pictures that steer where things are painted, each read by a network of its own.
     *
     * @param values in the order of the model's networks
     * @return this
     */
    public Builder controls(Control... values) {
      controls = new Controls(List.of(values), controls.guessMode());
      return this;
    }

    /**
     * Whether the controls' networks are to find out by themselves what the pictures show.
     *
     * @param on as in {@link Controls}
     * @return this
     */
    public Builder guessMode(boolean on) {
      controls = new Controls(controls.list(), on);
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
          guidanceScale,
          guidanceRescale,
          eta,
          seeds,
          noiseKind,
          imagesPerPrompt,
          batching,
          init,
          text,
          sizes,
          trueGuidanceScale,
          controls);
    }
  }
}
