using System.Diagnostics;
using LlmStageAudit.Attribution.Effects;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Auditing.Statistics;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Certification;

internal static class CertificationBenchmark
{
    public static void Run()
    {
        var w = Stopwatch.StartNew();
        var all = new Dictionary<string, List<(double P, double Rms, bool Top, double Cost, double Bias)>>();
        for (var seed = 1L; seed <= 10; seed++)
        {
            var folder = Directory.CreateTempSubdirectory("stageaudit-certify-").FullName;
            using var run = PlantedRun.Train(folder, seed);
            var probe = PlantedRun.ReadProbe(run, folder, seed);
            var gap = ConfounderGap.Of(probe, PlantedRun.Group);
            var exact = Show("exact", new Attribution.Estimators.Estimator(), null);
            Console.WriteLine($"seed {seed} planted {PlantedRun.Planted(seed)} exact {string.Join(' ', exact.Select(x => $"{x,8:f4}"))}  {w.Elapsed.TotalSeconds:f0}");
            foreach (var name in new[] { "recorded", "sampled-0.07", "sampled-0.12", "sampled-0.25", "linear" }) Show(name, Attribution.Estimators.Estimator.Parse(name), exact);
            foreach (var rho in new[] { 1.0, 0.5, 0.25, 0.12 })
            foreach (var eps in rho == 1 ? new[] { 0, 1e-4, 1e-3, 1e-2 } : new[] { 1e-3 })
            {
                double[] scores;
                try
                {
                using var scope = LibTorch.torch.NewDisposeScope();
                var sweep = new Attribution.Adjoint.AdjointSweep(run, new Attribution.Adjoint.PropagationOptions { Rho = rho, EpsilonFloor = eps });
                var r = sweep.Run([new ProbeGradient(run.Model, probe, gap.Weighted).Gradient(run.FinalState())], false, false, null, default)[0];
                scores = [.. r.StageEffects];
                Add($"adjoint-{rho}-{eps}", scores, exact, sweep.GradientEquivalents);
                }
                catch (Exception e) { Console.WriteLine(e.Message); }
            }

            double[] Show(string name, Attribution.Estimators.Estimator e, double[]? truth)
            {
                var a = StageAttribution.Attribute(run, probe, new AttributionRequest { Estimator = e }, null, default);
                double[] gaps = [.. a.Effects.Select(x => gap.Evaluate(a.Observed) - gap.Evaluate(x.Counterfactual!))];
                if (truth is not null) Add(name, gaps, truth, a.GradientEquivalents);
                return gaps;
            }
            void Add(string name, double[] scores, double[] truth, double cost)
            {
                if (!all.TryGetValue(name, out var list)) all[name] = list = [];
                var err = scores.Zip(truth, (s, t) => s - t).Take(6).ToArray();
                list.Add((Correlation.Pearson(scores, truth), Math.Sqrt(err.Average(x => x * x)), Array.IndexOf(scores, scores.Max()) == Array.IndexOf(truth, truth.Max()), cost / 84, err.Average()));
            }
            Directory.Delete(folder, true);
        }

        foreach (var (name, list) in all)
            Console.WriteLine($"{name,-16} pearson {list.Average(x => x.P):f3} worst {list.Min(x => x.P):f3} rms {list.Average(x => x.Rms):f3} |bias| {list.Average(x => Math.Abs(x.Bias)):f3} top {list.Count(x => x.Top)}/{list.Count} cost {list.Average(x => x.Cost):f2}");
    }
}
