package io.github.diffusion4j.family;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.scheduler.DynamicShift;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.StepPlan;
import java.util.Map;

/**
 * How flow matching transformers shift their schedule for the size of the picture: more noise for
 * more tokens, where the solver's configuration asks for it.
 *
 * @param modelConfig content of the model's scheduler_config.json
 */
record FlowShift(Map<String, Object> modelConfig) {

  /**
   * The plan with the shift for a picture's size.
   *
   * @param plan steps
   * @param request says which solver
   * @param tokens patches that the transformer reads
   * @return the plan itself where the solver does not shift, or is told its shift
   */
  StepPlan shifted(StepPlan plan, GenerationRequest request, int tokens) {
    Map<String, Object> config = solver(request);
    if (!flag(config, "use_dynamic_shifting") || plan.options().shift().isPresent()) {
      return plan;
    }
    DynamicShift usual = DynamicShift.DEFAULT;
    DynamicShift shift =
        new DynamicShift(
            (int) number(config, "base_image_seq_len", usual.baseTokens()),
            (int) number(config, "max_image_seq_len", usual.maxTokens()),
            number(config, "base_shift", usual.baseShift()),
            number(config, "max_shift", usual.maxShift()));
    return plan.withShift(shift.mu(tokens));
  }

  /** Whether the solver spaces flow matching's sigmas by itself. */
  boolean spacesSigmas(GenerationRequest request) {
    return flag(solver(request), "use_flow_sigmas");
  }

  private Map<String, Object> solver(GenerationRequest request) {
    Scheduler scheduler = request.scheduler().resolve(modelConfig);
    return scheduler.toConfig();
  }

  private static boolean flag(Map<String, Object> config, String key) {
    return Boolean.TRUE.equals(config.get(key));
  }

  /** The solver's value, else the model's, which another solver does not repeat. */
  private double number(Map<String, Object> config, String key, double otherwise) {
    Object value = config.getOrDefault(key, modelConfig.get(key));
    return value instanceof Number number ? number.doubleValue() : otherwise;
  }
}
