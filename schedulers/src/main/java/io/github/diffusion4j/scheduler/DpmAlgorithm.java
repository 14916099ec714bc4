package io.github.diffusion4j.scheduler;

/** The four forms of DPM-Solver: by what is held constant in a step, and with or without noise. */
public enum DpmAlgorithm implements ConfigName {
  /** On predicted noise (Lu et al. 2022). */
  DPM_SOLVER("dpmsolver") {
    @Override
    void set(DpmStep s, double h) {
      double e = Math.expm1(h);
      s.ofSample = s.alphaRatio;
      s.ofValue = -s.level * e;
      s.ofSlope = -s.level * (e / h - 1);
      s.ofCurve = -s.level * ((e - h) / (h * h) - 0.5);
      s.ofNoise = 0;
    }
  },
  /** On predicted data (Lu et al. 2022, DPM-Solver++). */
  DPM_SOLVER_PP("dpmsolver++") {
    @Override
    void set(DpmStep s, double h) {
      double e = Math.expm1(-h);
      s.ofSample = s.levelRatio;
      s.ofValue = -s.alpha * e;
      s.ofSlope = s.alpha * (e / h + 1);
      s.ofCurve = -s.alpha * ((e + h) / (h * h) - 0.5);
      s.ofNoise = 0;
    }
  },
  /** On predicted noise, with noise added in each step. */
  SDE_DPM_SOLVER("sde-dpmsolver") {
    @Override
    void set(DpmStep s, double h) {
      double e = Math.expm1(h);
      s.ofSample = s.alphaRatio;
      s.ofValue = -2 * s.level * e;
      s.ofSlope = -2 * s.level * (e / h - 1);
      s.ofCurve = Double.NaN;
      s.ofNoise = s.level * Math.sqrt(Math.max(Math.expm1(2 * h), 0));
    }
  },
  /** On predicted data, with noise added in each step. */
  SDE_DPM_SOLVER_PP("sde-dpmsolver++") {
    @Override
    void set(DpmStep s, double h) {
      double e = -Math.expm1(-2 * h);
      s.ofSample = s.levelRatio * Math.exp(-h);
      s.ofValue = s.alpha * e;
      s.ofSlope = s.alpha * (e / (-2 * h) + 1);
      s.ofCurve = s.alpha * ((e - 2 * h) / (4 * h * h) - 0.5);
      s.ofNoise = s.level * Math.sqrt(Math.max(e, 0));
    }
  };

  private final String configName;

  DpmAlgorithm(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /** Sets the coefficients of a step of length h in lambda. */
  abstract void set(DpmStep step, double h);

  /** Whether steps are made of predicted data rather than noise. */
  boolean predictsData() {
    return this == DPM_SOLVER_PP || this == SDE_DPM_SOLVER_PP;
  }

  /** Whether each step draws noise. */
  boolean isStochastic() {
    return this == SDE_DPM_SOLVER || this == SDE_DPM_SOLVER_PP;
  }

  static DpmAlgorithm read(ConfigReader in, DpmAlgorithm... allowed) {
    return in.text("algorithm_type", "").equals("deis")
        ? DPM_SOLVER_PP
        : in.choice("algorithm_type", DPM_SOLVER_PP, allowed);
  }
}
