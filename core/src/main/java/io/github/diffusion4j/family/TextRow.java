package io.github.diffusion4j.family;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What up to three text encoders read for one row of the conditioning.
 *
 * @param texts one for each text encoder
 * @param negative whether it is what to keep away from
 * @param given false for a negative row of a request without any negative prompt
 */
record TextRow(List<String> texts, boolean negative, boolean given) {

  /** The rows of a request: those of the negative prompts, where guided, then the prompts'. */
  static List<TextRow> of(GenerationRequest request, Guidance guidance) {
    List<TextRow> rows = new ArrayList<>();
    if (guidance.branches() > 1) {
      List<String> first = request.negativePrompts();
      rows.addAll(
          rows(
              request,
              List.of(
                  first,
                  or(request.text().negativePrompts2(), first),
                  or(request.text().negativePrompts3(), first)),
              true));
    }
    List<String> first = request.prompts();
    rows.addAll(
        rows(
            request,
            List.of(
                first, or(request.text().prompts2(), first), or(request.text().prompts3(), first)),
            false));
    return rows;
  }

  private static List<String> or(List<String> texts, List<String> otherwise) {
    return texts.isEmpty() ? otherwise : texts;
  }

  private static List<TextRow> rows(
      GenerationRequest request, List<List<String>> encoders, boolean negative) {
    List<List<String>> columns = encoders.stream().map(request::ofEachImage).toList();
    boolean given = !encoders.get(0).isEmpty();
    return IntStream.range(0, request.images())
        .mapToObj(
            i ->
                new TextRow(
                    columns.stream().map(column -> column.get(i)).toList(), negative, given))
        .toList();
  }

  /** The text of one encoder, from 0. */
  String text(int encoder) {
    return texts.get(encoder);
  }

  /** A function that is asked for each distinct argument once. Not thread-safe. */
  static <T> Function<T, TextFeatures> once(Function<T, TextFeatures> encode) {
    Map<T, TextFeatures> known = new HashMap<>();
    return argument -> {
      TextFeatures features = known.get(argument);
      if (features == null) {
        features = encode.apply(argument);
        known.put(argument, features);
      }
      return features;
    };
  }
}
