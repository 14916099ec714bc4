package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * A prompt that changes over the steps: what {@code [from:to:when]}, {@code [to:when]}, {@code
 * [from::when]} and {@code [a|b]} of the web UI's language mean for a number of steps.
 *
 * @param stages texts in order of their last steps; the last one holds to the end
 */
public record PromptSchedule(List<Stage> stages) {
  /**
   * A text and how long it holds.
   *
   * @param lastStep last step of the text, 1 or more
   * @param text prompt without editing
   */
  public record Stage(int lastStep, String text) {
    /** Checks the step. */
    public Stage {
      requireNonNull(text, "text");
      if (lastStep < 1) {
        throw new IllegalArgumentException("lastStep must be 1 or more, got " + lastStep);
      }
    }
  }

  /** Copies the stages and checks their order. */
  public PromptSchedule {
    stages = List.copyOf(stages);
    if (stages.isEmpty()) {
      throw new IllegalArgumentException("stages must not be empty");
    }
    for (int i = 1; i < stages.size(); i++) {
      if (stages.get(i).lastStep() <= stages.get(i - 1).lastStep()) {
        throw new IllegalArgumentException("stages must be in the order of their last steps");
      }
    }
  }

  /**
   * Works out the texts of a prompt.
   *
   * @param prompt prompt in the web UI's language, without AND
   * @param steps denoiser evaluations of the generation, 1 or more: twice the steps for solvers
   *     that evaluate twice a step
   * @return the schedule; what has not the form of an edit stays text, neighbours differ
   */
  public static PromptSchedule parse(String prompt, int steps) {
    requireNonNull(prompt, "prompt");
    if (steps < 1) {
      throw new IllegalArgumentException("steps must be 1 or more, got " + steps);
    }
    PromptEdits edits = PromptEdits.parse(prompt, steps);
    List<Stage> stages = new ArrayList<>();
    for (int step : edits.changes()) {
      String text = edits.textAt(step);
      int last = stages.size() - 1;
      if (last >= 0 && stages.get(last).text().equals(text)) {
        stages.remove(last);
      }
      stages.add(new Stage(step, text));
    }
    return new PromptSchedule(stages);
  }

  /**
   * The text of an evaluation, by the web UI's count: it compares the number of evaluations already
   * done with a stage's last step, so that {@code [a:b:3]} uses a four times.
   *
   * @param evaluation evaluations already done, from 0
   * @return the text to condition on
   */
  public String textAt(int evaluation) {
    for (Stage stage : stages) {
      if (evaluation <= stage.lastStep()) {
        return stage.text();
      }
    }
    return stages.get(stages.size() - 1).text();
  }
}
