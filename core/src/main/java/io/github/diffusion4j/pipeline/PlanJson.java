package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.List;
import java.util.stream.StreamSupport;

/** A plan of steps as JSON, under the names of diffusers' arguments. */
final class PlanJson {

  private static final String STEPS = "num_inference_steps";
  private static final String TIMESTEPS = "timesteps";
  private static final String SIGMAS = "sigmas";
  private static final String SIGMA_TIMESTEPS = "sigma_timesteps";
  private static final String BEGIN = "begin";
  private static final String STRENGTH = "strength";
  private static final String START = "denoising_start";
  private static final String FIRST = "first_step";
  private static final String END = "denoising_end";
  private static final String MU = "mu";
  private static final String ORIGINAL = "original_inference_steps";
  private static final String DISTILLED = "distilled_strength";

  private PlanJson() {}

  /** Writes what differs from the default. */
  static void write(ObjectNode root, StepPlan plan) {
    if (plan instanceof StepPlan.Count count) {
      root.put(STEPS, count.steps());
    } else if (plan instanceof StepPlan.Timesteps given) {
      put(root.putArray(TIMESTEPS), given.timesteps());
    } else if (plan instanceof StepPlan.Sigmas given) {
      put(root.putArray(SIGMAS), given.sigmas());
      if (!given.timesteps().isEmpty()) {
        put(root.putArray(SIGMA_TIMESTEPS), given.timesteps());
      }
    }
    StepPlan.Options options = plan.options();
    writeStart(root, options.start());
    options.denoisingEnd().ifPresent(end -> root.put(END, end));
    options.shift().ifPresent(mu -> root.put(MU, mu));
    options.originalSteps().ifPresent(steps -> root.put(ORIGINAL, steps));
    if (options.distilledStrength() != 1) {
      root.put(DISTILLED, options.distilledStrength());
    }
  }

  private static void put(ArrayNode node, List<Double> values) {
    values.forEach(node::add);
  }

  private static void writeStart(ObjectNode root, StepPlan.Start start) {
    if (start instanceof StepPlan.Start.Noise noise && noise.placed()) {
      root.put(BEGIN, true);
    } else if (start instanceof StepPlan.Start.Strength given) {
      root.put(STRENGTH, given.strength());
    } else if (start instanceof StepPlan.Start.Share given) {
      root.put(START, given.share());
    } else if (start instanceof StepPlan.Start.At given) {
      root.put(FIRST, given.first());
    }
  }

  /** Reads what {@link #write} wrote. */
  static StepPlan read(JsonNode root) {
    StepPlan plan = started(steps(root), root);
    if (root.has(END)) {
      plan = plan.withDenoisingEnd(root.path(END).asDouble());
    }
    if (root.has(MU)) {
      plan = plan.withShift(root.path(MU).asDouble());
    }
    if (root.has(ORIGINAL)) {
      plan = plan.withOriginalSteps(root.path(ORIGINAL).asInt());
    }
    return root.has(DISTILLED) ? plan.withDistilledStrength(root.path(DISTILLED).asDouble()) : plan;
  }

  private static StepPlan steps(JsonNode root) {
    if (root.has(TIMESTEPS)) {
      return StepPlan.timesteps(doubles(root.path(TIMESTEPS)));
    }
    return root.has(SIGMAS)
        ? new StepPlan.Sigmas(
            doubles(root.path(SIGMAS)),
            doubles(root.path(SIGMA_TIMESTEPS)),
            StepPlan.Options.DEFAULT)
        : StepPlan.steps(root.path(STEPS).asInt());
  }

  private static StepPlan started(StepPlan plan, JsonNode root) {
    if (root.path(BEGIN).asBoolean()) {
      return plan.withBegin();
    }
    if (root.has(STRENGTH)) {
      return plan.withStrength(root.path(STRENGTH).asDouble());
    }
    if (root.has(START)) {
      return plan.withDenoisingStart(root.path(START).asDouble());
    }
    return root.has(FIRST) ? plan.withFirstStep(root.path(FIRST).asInt()) : plan;
  }

  private static List<Double> doubles(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false).map(JsonNode::asDouble).toList();
  }
}
