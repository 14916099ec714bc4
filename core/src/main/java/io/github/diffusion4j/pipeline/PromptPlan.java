package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ConditioningSchedule;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.GuidanceInterval;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.PromptEncoder;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.prompt.PromptSchedule;
import io.github.diffusion4j.prompt.WebUiPrompt;
import io.github.diffusion4j.prompt.WeightedText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The prompts of one generation: in the web UI's language resolved into the parts that AND joins
 * and the texts of each evaluation, so that a prompt encoder sees neither. Immutable.
 */
final class PromptPlan {

  private final GenerationRequest request;

  /** For each prompt what AND joins, as many for each; filled up with parts of weight 0. */
  private final List<List<WeightedText>> parts;

  private final Guidance guidance;

  private PromptPlan(GenerationRequest request, List<List<WeightedText>> parts, Guidance guidance) {
    this.request = request;
    this.parts = parts;
    this.guidance = guidance;
  }

  /**
   * Reads the prompts' AND.
   *
   * @param request with nothing left open
   * @param usual the guidance of one conditioning
   */
  static PromptPlan of(GenerationRequest request, Guidance usual) {
    if (usual instanceof Guidance.None && request.guidance().steersBranches()) {
      throw new IllegalArgumentException(
          "guidance interval, schedule and method need classifier-free guidance: a guidance scale"
              + " above 1, and a model that does not take its scale as an input (FLUX: a true"
              + " guidance scale above 1 and a negative prompt)");
    }
    if (!isWebUi(request)) {
      return new PromptPlan(request, List.of(), usual);
    }
    List<List<WeightedText>> parts = request.prompts().stream().map(WebUiPrompt::split).toList();
    int most = parts.stream().mapToInt(List::size).max().orElseThrow();
    List<List<WeightedText>> filled = parts.stream().map(of -> filled(of, most)).toList();
    boolean single = most == 1 && filled.stream().allMatch(of -> of.get(0).weight() == 1);
    return new PromptPlan(request, filled, single ? usual : composed(request, filled, usual));
  }

  private static boolean isWebUi(GenerationRequest request) {
    return request.text().prompt().syntax() == PromptSyntax.WEB_UI;
  }

  private static List<WeightedText> filled(List<WeightedText> parts, int count) {
    List<WeightedText> filled = new ArrayList<>(parts);
    String first = parts.get(0).text();
    filled.addAll(Collections.nCopies(count - parts.size(), new WeightedText(first, 0)));
    return filled;
  }

  private static Guidance composed(
      GenerationRequest request, List<List<WeightedText>> parts, Guidance usual) {
    if (!(usual instanceof Guidance.ClassifierFree free)
        || free.rescale() != 0
        || !free.method().equals(GuidanceMethod.STANDARD)
        || !free.timing().interval().equals(GuidanceInterval.ALWAYS)) {
      throw new IllegalArgumentException(
          "prompts joined by AND, or with a weight, need classifier-free guidance: a guidance scale"
              + " above 1, no guidance rescale, all the time and by the standard method");
    }
    List<List<Double>> weights = new ArrayList<>();
    for (int branch = 0; branch < parts.get(0).size(); branch++) {
      List<Double> ofImages = new ArrayList<>();
      for (List<WeightedText> prompt : parts) {
        ofImages.addAll(
            Collections.nCopies(request.imagesPerPrompt(), prompt.get(branch).weight()));
      }
      weights.add(ofImages);
    }
    return new Guidance.Composed(free.scale(), weights, free.timing().schedule());
  }

  /** How the branches are combined. */
  Guidance guidance() {
    return guidance;
  }

  /**
   * Encodes the prompts, each different text once.
   *
   * @param evaluations how often the denoiser will be asked
   */
  ConditioningSchedule encode(PromptEncoder encoder, int evaluations, CancelToken cancel) {
    if (!encoder.reads(request.text().prompt())) {
      throw new IllegalArgumentException(
          "this model reads prompts as plain text only, cut where they are too long; got "
              + request.text().prompt());
    }
    GivenEmbeddings given = new GivenEmbeddings(request, guidance);
    if (!isWebUi(request)) {
      return ConditioningSchedule.always(given.in(encoder.encode(request, guidance, cancel)));
    }
    Branches branches = new Branches(encoder, cancel);
    List<List<PromptSchedule>> schedules =
        parts.stream()
            .map(of -> of.stream().map(part -> schedule(part.text(), evaluations)).toList())
            .toList();
    List<PromptSchedule> negatives =
        request.negativePrompts().stream().map(text -> schedule(text, evaluations)).toList();
    Map<List<List<String>>, Integer> indexes = new LinkedHashMap<>();
    List<Integer> order = new ArrayList<>();
    for (int evaluation = 0; evaluation < Math.max(1, evaluations); evaluation++) {
      int at = evaluation;
      List<List<String>> texts = new ArrayList<>();
      texts.add(negatives.stream().map(schedule -> schedule.textAt(at)).toList());
      for (int branch = 0; branch < parts.get(0).size(); branch++) {
        int index = branch;
        texts.add(schedules.stream().map(of -> of.get(index).textAt(at)).toList());
      }
      Integer known = indexes.putIfAbsent(texts, indexes.size());
      order.add(known == null ? indexes.size() - 1 : known);
    }
    List<Conditioning> conditionings =
        indexes.keySet().stream().map(texts -> given.in(branches.encode(texts))).toList();
    return new ConditioningSchedule(conditionings, order);
  }

  private static PromptSchedule schedule(String text, int evaluations) {
    return PromptSchedule.parse(text, Math.max(1, evaluations));
  }

  /** Encodes the texts of one evaluation: negative prompts, then each branch's prompts. */
  private final class Branches {
    private final PromptEncoder encoder;
    private final CancelToken cancel;

    Branches(PromptEncoder encoder, CancelToken cancel) {
      this.encoder = encoder;
      this.cancel = cancel;
    }

    Conditioning encode(List<List<String>> texts) {
      boolean composed = guidance instanceof Guidance.Composed;
      Guidance usual = composed ? Guidance.of(2, 0) : guidance; // for its two branches
      Conditioning all = encoder.encode(with(texts.get(1), texts.get(0)), usual, cancel);
      for (int branch = 2; branch < texts.size(); branch++) {
        Conditioning next =
            encoder.encode(with(texts.get(branch), texts.get(0)), new Guidance.None(), cancel);
        all = JoinedConditioning.of(all, next, () -> empty());
      }
      return all;
    }

    private Conditioning empty() {
      List<String> nothing = Collections.nCopies(request.prompts().size(), "");
      return encoder.encode(with(nothing, List.of()), new Guidance.None(), cancel);
    }

    private GenerationRequest with(List<String> prompts, List<String> negatives) {
      return GenerationRequest.prompts(prompts)
          .like(request)
          .negativePrompt(negatives.toArray(String[]::new))
          .imagesPerPrompt(request.imagesPerPrompt())
          .seed(request.seeds().stream().mapToLong(Long::longValue).toArray())
          .build();
    }
  }
}
