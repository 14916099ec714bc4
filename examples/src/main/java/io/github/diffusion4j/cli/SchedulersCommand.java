package io.github.diffusion4j.cli;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.examples.ShippedModel;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.noise.NoiseKind;
import io.github.diffusion4j.scheduler.SampleShape;
import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.SchedulerRun;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.scheduler.StepPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists the solvers, or shows schedules of some. */
@Command(
    name = "schedulers",
    description =
        "List the solvers; with NAMEs, show their timesteps and noise levels, or plot them.")
final class SchedulersCommand implements Callable<Integer> {

  private static final int USUAL_STEPS = 20;

  private final Session session;

  @Parameters(
      arity = "0..*",
      paramLabel = "NAME",
      description = "Short names, display names or classes, such as euler or DDIMScheduler.")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Number of steps. Default: " + USUAL_STEPS + ".")
  private int steps = USUAL_STEPS;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description = "Model that the schedule is for. Default: the small model that ships.")
  private Path model;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A scheduler_config.json in place of a model's; alone, it names its solver.")
  private Path config;

  @Option(
      names = "--plot",
      paramLabel = "FILE.png",
      description = "Draw the noise levels of the solvers over the evaluations.")
  private Path plot;

  SchedulersCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Object> base = config();
    if (names.isEmpty() && config == null && plot == null) {
      session.out().print(list(base));
    } else {
      Map<String, Scheduler> chosen = new LinkedHashMap<>();
      names.forEach(name -> chosen.put(name, Schedulers.fromConfig(base, name)));
      if (chosen.isEmpty()) {
        Scheduler own = Schedulers.fromConfig(base);
        chosen.put(className(own), own);
      }
      if (plot == null) {
        chosen.values().forEach(scheduler -> session.out().print(table(scheduler)));
      } else {
        SchedulePlot.write(plot, chosen, steps);
        session.out().println(plot);
      }
    }
    session.out().flush();
    return 0;
  }

  private Map<String, Object> config() throws IOException {
    if (config == null) {
      return ModelLayout.of(model == null ? ShippedModel.path() : model).scheduler().toMap();
    }
    return JsonMapper.builder()
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .build()
        .readValue(Files.readAllBytes(config), new TypeReference<>() {});
  }

  private String list(Map<String, Object> config) {
    StringBuilder text = new StringBuilder();
    row(text, "name", "class", "evaluations for " + steps + " steps");
    for (String each : Schedulers.names()) {
      Scheduler usual = Schedulers.fromConfig(Map.of(), each);
      row(text, each, className(usual), evaluations(config, each));
    }
    return text.toString();
  }

  private String evaluations(Map<String, Object> config, String each) {
    try {
      return Integer.toString(start(Schedulers.fromConfig(config, each)).evaluations());
    } catch (IllegalArgumentException e) {
      return "not for this model: " + e.getMessage();
    }
  }

  private SchedulerRun start(Scheduler scheduler) {
    return scheduler.start(
        StepPlan.steps(steps), new SampleShape(1, 1), NoiseKind.TORCH_CPU.create(0));
  }

  private static String className(Scheduler scheduler) {
    return String.valueOf(scheduler.toConfig().get("_class_name"));
  }

  private static void row(StringBuilder text, String name, String className, String evaluations) {
    text.append(String.format(Locale.ROOT, "%-16s %-36s %s%n", name, className, evaluations));
  }

  private String table(Scheduler scheduler) {
    SchedulerRun run = start(scheduler);
    double[] timesteps = run.timesteps();
    double[] sigmas = run.sigmas();
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s, %d steps, %d evaluations, initial noise %.6g%n",
            className(scheduler),
            steps,
            run.evaluations(),
            run.initNoiseSigma()));
    text.append(String.format(Locale.ROOT, "%5s %12s %14s%n", "index", "timestep", "sigma"));
    for (int i = 0; i < Math.max(timesteps.length, sigmas.length); i++) {
      text.append(
          String.format(Locale.ROOT, "%5d %12s %14s", i, at(timesteps, i), at(sigmas, i))
                  .stripTrailing()
              + System.lineSeparator());
    }
    return text.toString();
  }

  private static String at(double[] values, int index) {
    return index < values.length ? String.format(Locale.ROOT, "%.6g", values[index]) : "";
  }
}
