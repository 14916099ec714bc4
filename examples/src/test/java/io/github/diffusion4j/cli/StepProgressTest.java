package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StepProgressTest {

  private static final LatentShape SHAPE = new LatentShape(1, 1, 2, 2);

  @ParameterizedTest
  @ValueSource(ints = {20, 60, 120})
  void drawsOneLineWithinTheTerminal(int columns) {
    StringWriter text = new StringWriter();
    Session session =
        new Session(
            new PrintWriter(new StringWriter()),
            new PrintWriter(text),
            new Screen(true, columns),
            new CancelToken());
    SchedulerRun run =
        Schedulers.named("ddim")
            .start(StepPlan.steps(4), SHAPE.sample(), NoiseKind.TORCH_CPU.create(0));
    float[] x = new float[SHAPE.total()];
    StepEvent event = new StepEvent(run, x, SHAPE);
    try (StepProgress progress = new StepProgress(session, 3)) {
      progress.onStart(event);
      while (run.index() < run.evaluations()) {
        run.step(new float[x.length], x);
        progress.onStep(event);
      }
    }
    String[] drawn = text.toString().stripTrailing().split("\r");
    for (String line : drawn) {
      assertTrue(line.length() < columns, line);
    }
    String last = drawn[drawn.length - 1];
    assertTrue(last.startsWith("painting 1/3 100%"), last);
    if (columns >= 60) {
      assertTrue(last.matches("painting 1/3 100% \\|.+\\| 4/4 \\[0:00<0:00, [\\d.]+ it/s]"), last);
    }
    assertTrue(text.toString().endsWith(System.lineSeparator()));
    assertEquals(1, text.toString().split("\n", -1).length - 1);
  }

  @Test
  void lineBesideTheBarIsPrintedOnAnEmptyLine() {
    StringWriter text = new StringWriter();
    PrintWriter screen = new PrintWriter(text);
    Session session = new Session(screen, screen, new Screen(true, 40), new CancelToken());
    SchedulerRun run =
        Schedulers.named("ddim")
            .start(StepPlan.steps(4), SHAPE.sample(), NoiseKind.TORCH_CPU.create(0));
    StepEvent event = new StepEvent(run, new float[SHAPE.total()], SHAPE);
    try (StepProgress progress = new StepProgress(session, 3)) {
      progress.aside(() -> screen.println("before"));
      progress.onStart(event);
      progress.aside(() -> screen.println("a-fox.png"));
    }
    screen.flush();
    String end = System.lineSeparator();
    assertTrue(text.toString().startsWith("before" + end), text.toString());
    assertTrue(text.toString().contains("\r" + " ".repeat(39) + "\ra-fox.png" + end));
  }
}
