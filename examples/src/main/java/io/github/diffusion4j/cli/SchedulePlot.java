package io.github.diffusion4j.cli;

import io.github.diffusion4j.image.ImageFormat;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.StepPlan;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;

/** Draws the noise levels that solvers visit, side by side. */
final class SchedulePlot {

  /** Pure noise has no finite ratio of noise to signal. */
  private static final double LARGEST = 1e4;

  private SchedulePlot() {}

  /**
   * Writes a plot.
   *
   * @param file a picture file
   * @param schedulers by the names in the legend
   * @param steps of each
   */
  static void write(Path file, Map<String, Scheduler> schedulers, int steps) throws IOException {
    PictureFile.checkWritable(file);
    ImageFormat.of(file);
    PictureFile.write(draw(schedulers, steps), Map.of(), file);
  }

  private static BufferedImage draw(Map<String, Scheduler> schedulers, int steps)
      throws IOException {
    try {
      XYChart chart =
          new XYChartBuilder()
              .width(900)
              .height(600)
              .title(steps + " steps")
              .xAxisTitle("evaluation")
              .yAxisTitle("noise to signal (sigma)")
              .build();
      chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideNE);
      chart.getStyler().setYAxisLogarithmic(true);
      schedulers.forEach((name, scheduler) -> chart.addSeries(name, levels(scheduler, steps)));
      return BitmapEncoder.getBufferedImage(chart);
    } catch (LinkageError | InternalError e) {
      throw new IOException(
          "this Java has no fonts to draw with; install fontconfig and a font", e);
    }
  }

  /** The ratio of noise to signal before each evaluation, for any kind of solver. */
  private static double[] levels(Scheduler scheduler, int steps) {
    SchedulerRun run =
        scheduler.start(
            StepPlan.steps(steps), new SampleShape(1, 1), NoiseKind.TORCH_CPU.create(0));
    List<Double> levels = new ArrayList<>();
    float[] signal = new float[1];
    float[] noise = new float[1];
    while (run.index() < run.evaluations()) {
      run.addNoise(new float[] {1}, new float[] {0}, signal);
      run.addNoise(new float[] {0}, new float[] {1}, noise);
      double level = noise[0] / signal[0];
      if (level > 0) { // a logarithm has no place for the clean end
        levels.add(Math.min(level, LARGEST));
      }
      run.step(new float[1], new float[1]);
    }
    return levels.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
