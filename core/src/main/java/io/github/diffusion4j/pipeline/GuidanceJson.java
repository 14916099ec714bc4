package io.github.diffusion4j.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.GuidanceInterval;
import io.github.diffusion4j.GuidanceMethod;
import io.github.diffusion4j.GuidanceOptions;
import io.github.diffusion4j.GuidanceSchedule;
import java.util.Map;

/** Guidance in a picture's record: as JSON, and among the settings that web UIs write. */
final class GuidanceJson {

  private static final String SCALE = "guidance_scale";
  private static final String RESCALE = "guidance_rescale";
  private static final String TRUE_SCALE = "true_cfg_scale";
  private static final String INTERVAL = "guidance_interval";
  private static final String SCHEDULE = "guidance_schedule";
  private static final String METHOD = "guidance_method";

  private GuidanceJson() {}

  /** Writes the scales, and what else differs from the default. */
  static void write(ObjectNode root, GuidanceOptions guidance) {
    root.put(SCALE, guidance.scale().orElseThrow());
    root.put(RESCALE, guidance.rescale());
    if (guidance.trueScale() != 1) {
      root.put(TRUE_SCALE, guidance.trueScale());
    }
    GuidanceOptions usual = GuidanceOptions.DEFAULT;
    if (!guidance.timing().interval().equals(usual.timing().interval())) {
      root.put(INTERVAL, guidance.timing().interval().label());
    }
    if (!guidance.timing().schedule().equals(usual.timing().schedule())) {
      root.put(SCHEDULE, guidance.timing().schedule().label());
    }
    if (!guidance.method().equals(usual.method())) {
      root.put(METHOD, guidance.method().label());
    }
  }

  /** Reads what {@link #write} wrote. */
  static GuidanceOptions read(JsonNode root) {
    GuidanceOptions guidance =
        GuidanceOptions.DEFAULT
            .withScale(root.path(SCALE).asDouble())
            .withRescale(root.path(RESCALE).asDouble())
            .withTrueScale(root.path(TRUE_SCALE).asDouble(1));
    if (root.has(INTERVAL)) {
      guidance = guidance.withInterval(GuidanceInterval.of(root.path(INTERVAL).asText()));
    }
    if (root.has(SCHEDULE)) {
      guidance = guidance.withSchedule(GuidanceSchedule.of(root.path(SCHEDULE).asText()));
    }
    return root.has(METHOD)
        ? guidance.withMethod(GuidanceMethod.of(root.path(METHOD).asText()))
        : guidance;
  }

  /** Adds what differs from plain guidance to the settings of the web UIs. */
  static void settings(GuidanceOptions guidance, Map<String, String> settings) {
    if (guidance.rescale() > 0) {
      settings.put("CFG rescale phi", Provenance.plain(guidance.rescale()));
    }
    GuidanceOptions usual = GuidanceOptions.DEFAULT;
    if (guidance.trueScale() != usual.trueScale()) {
      settings.put("True CFG scale", Provenance.plain(guidance.trueScale()));
    }
    if (!guidance.timing().interval().equals(usual.timing().interval())) {
      settings.put("Guidance interval", guidance.timing().interval().label());
    }
    if (!guidance.timing().schedule().equals(usual.timing().schedule())) {
      settings.put("Guidance schedule", guidance.timing().schedule().label());
    }
    if (!guidance.method().equals(usual.method())) {
      settings.put("Guidance method", guidance.method().label());
    }
  }
}
