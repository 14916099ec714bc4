package io.github.diffusion4j.graph;

import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;

/**
 * Stable Diffusion's safety checker: CLIP's reading of a picture is compared with embeddings of
 * concepts, and flagged where it comes nearer to one than that concept's threshold. Concepts of
 * special care lower the thresholds of the others. The comparison is made in 32 bits.
 *
 * @param vision what reads the pictures
 */
record SafetyCheckerModel(ClipVisionModel vision) implements Architecture {

  private static final int CONCEPTS = 17;
  private static final int SPECIAL_CONCEPTS = 3;

  /** How much special care lowers thresholds. */
  private static final double SPECIAL_CARE = 0.01;

  /** The reference rounds scores to three decimals before it asks whether they are positive. */
  private static final double ROUNDED_TO_ZERO = 0.0005;

  private static final double LEAST_LENGTH = 1e-12;
  private static final String MODULE = "vision_model.";
  private static final String BATCH = "batch";

  /** Reads config.json. */
  static SafetyCheckerModel of(ConfigFile config) {
    return new SafetyCheckerModel(ClipVisionModel.of(config));
  }

  /** The encoder is a model within a model; some versions write one of the two names only. */
  @Override
  public String presentName(String key) {
    return key.startsWith(MODULE) && ClipEncoder.isOwn(key.substring(MODULE.length()))
        ? MODULE + key
        : key;
  }

  @Override
  public boolean tolerates(String key) {
    return key.endsWith("position_ids");
  }

  @Override
  public void addTo(Graph graph, List<GraphEdit> edits) {
    UNet.refuse(edits);
    Scope root = graph.root();
    Value pixels = vision.pixels(graph, "clip_input", BATCH);
    ElementType type = graph.options().type();
    Value images = graph.input("images", type, BATCH, "height", "width", "channels");
    Value pooled = vision.see(root.at("vision_model.vision_model"), pixels).pooled();
    Scope head = root.in(ElementType.FLOAT32);
    Value seen = direction(vision.project(head, pooled.cast(ElementType.FLOAT32)));
    Value special = scores(head, "special_care_embeds", SPECIAL_CONCEPTS, seen);
    Value care = anyPositive(special).cast(ElementType.FLOAT32).times(SPECIAL_CARE);
    Value flags =
        anyPositive(scores(head, "concept_embeds", CONCEPTS, seen).plus(care)).reshape(-1);
    Value shown =
        graph
            .node("Where")
            .in(flags.reshape(-1, 1, 1, 1), graph.scalar(0, type), images)
            .out(type, images.shape());
    graph.output("out_images", shown, BATCH, "height", "width", "channels");
    graph.output("has_nsfw_concepts", flags, BATCH);
  }

  /** How far the picture is over the threshold of each concept. */
  private Value scores(Scope head, String name, int concepts, Value seen) {
    Value embeddings = direction(head.weight(name, concepts, vision.projection()));
    return Linear.product(seen, embeddings).minus(head.weight(name + "_weights", concepts));
  }

  /** Whether a row has a positive score: [batch, 1]. */
  private static Value anyPositive(Value scores) {
    Value positive = greater(scores, ROUNDED_TO_ZERO).cast(ElementType.FLOAT32);
    return greater(positive.sum(1), 0);
  }

  private static Value greater(Value x, double number) {
    return x.graph()
        .node("Greater")
        .in(x, x.graph().scalar(number, x.type()))
        .out(ElementType.BOOL, x.shape());
  }

  /** Rows of length one. */
  private static Value direction(Value rows) {
    Value least = rows.graph().scalar(LEAST_LENGTH, rows.type());
    return rows.over(rows.times(rows).sum(1).map("Sqrt").elementwise("Max", least));
  }
}
