package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.noise.NoiseSource;
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
 * @param guidance how far and how to follow the prompts
 * @param eta noise added back by DDIM and its kin, 0 to 1; empty for the solver's own
 * @param seeds none: one is chosen; one: it draws the noise of all images together, as one {@code
 *     torch.Generator} does; otherwise one for each image
 * @param noiseKind which random number generator the seeds belong to
 * @param imagesPerPrompt images of each prompt
 * @param batching whether guidance's branches go through the denoiser together
 * @param init what to begin with
 * @param text how the prompts are read
 * @param sizes what SDXL is told of sizes and looks
 * @param controls pictures that steer where things are painted
 * @param imagePrompt pictures that say what is painted; empty for none
 * @param loras changes of the model for this request, in order
 * @param featureReuse whether evaluations reuse a UNet's features
 */
public record GenerationRequest(
    List<String> prompts,
    List<String> negativePrompts,
    OptionalInt width,
    OptionalInt height,
    Optional<StepPlan> plan,
    SchedulerChoice scheduler,
    GuidanceOptions guidance,
    OptionalDouble eta,
    List<Long> seeds,
    NoiseKind noiseKind,
    int imagesPerPrompt,
    BranchBatching batching,
    Init init,
    TextOptions text,
    SizeConditioning sizes,
    Controls controls,
    Optional<ImagePrompt> imagePrompt,
    List<Lora> loras,
    FeatureReuse featureReuse) {

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
    requireNonNull(guidance, "guidance");
    requireNonNull(noiseKind, "noiseKind");
    requireNonNull(batching, "batching");
    requireNonNull(init, "init");
    requireNonNull(text, "text");
    requireNonNull(sizes, "sizes");
    requireNonNull(controls, "controls");
    requireNonNull(imagePrompt, "imagePrompt");
    loras = List.copyOf(loras);
    requireNonNull(featureReuse, "featureReuse");
    require(!prompts.isEmpty(), "at least one prompt is needed");
    prompts.forEach(prompt -> checkLength("prompt", prompt));
    checkCount("negative prompt", negativePrompts, prompts);
    checkCount("prompt 2", text.prompts2(), prompts);
    checkCount("negative prompt 2", text.negativePrompts2(), prompts);
    checkCount("prompt 3", text.prompts3(), prompts);
    checkCount("negative prompt 3", text.negativePrompts3(), prompts);
    checkSize("width", width);
    checkSize("height", height);
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
    if (imagePrompt.isPresent()) {
      checkPictures("image prompt", imagePrompt.get().pictures(), prompts, (int) images);
    }
  }

  /** Refuses pictures that are not one for all, for each prompt, or for each image. */
  static void checkPictures(String what, PictureSource pictures, List<String> prompts, int images) {
    int count = pictures.count();
    require(
        count == 1 || count == prompts.size() || count == images,
        "expected one %s, one for each of the %d prompts, or one for each of the %d images, got %d pictures"
            .formatted(what, prompts.size(), images, count));
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
  public static GenerationRequestBuilder prompt(String prompt) {
    return prompts(List.of(prompt));
  }

  /**
   * A request for several prompts painted together.
   *
   * @param prompts what to paint
   * @return a builder
   */
  public static GenerationRequestBuilder prompts(List<String> prompts) {
    return new GenerationRequestBuilder(prompts);
  }

  /**
   * A request to a class-conditional model, whose prompts are numbers of classes.
   *
   * @param classes one for each picture
   * @return a builder
   */
  public static GenerationRequestBuilder classes(int... classes) {
    return prompts(java.util.Arrays.stream(classes).mapToObj(String::valueOf).toList());
  }

  /**
   * A request to an unconditional model, which takes no prompt.
   *
   * @return a builder
   */
  public static GenerationRequestBuilder unconditional() {
    return prompt("");
  }

  /**
   * This request as a builder.
   *
   * @return with everything set as here
   */
  public GenerationRequestBuilder toBuilder() {
    return GenerationRequestBuilder.of(this);
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
    GenerationRequestBuilder builder =
        toBuilder()
            .size(width.orElse(facts.width()), height.orElse(facts.height()))
            .plan(plan.orElseGet(() -> StepPlan.steps(facts.steps())))
            .guidanceScale(guidance.scale().orElse(facts.guidanceScale()));
    if (seeds.isEmpty()) {
      builder.seed(ThreadLocalRandom.current().nextLong(1L << 32));
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
}
