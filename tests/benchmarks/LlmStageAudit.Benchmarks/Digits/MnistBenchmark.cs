using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>Every estimator against retraining, on a perceptron that reads digits.</summary>
internal static class MnistBenchmark
{
    private const int TrainDigits = 12_000;
    private const int ProbeDigits = 501;
    private static readonly long[] s_seeds = [1, 2, 3];

    /// <summary>About 31 and 80 steps a stage.</summary>
    private static readonly int[] s_batchSizes = [DigitRun.DefaultBatchSize, 50];

    public static void Run()
    {
        var train = Read("train", TrainDigits);
        var test = Read("t10k", ProbeDigits);
        using var probe = new PerceptronObjective(test.Images, test.Labels, DigitRun.Hidden, DigitSet.Classes);
        int[] all = [.. Enumerable.Range(0, test.Count)];
        int[] foreign = [.. all.Where(i => test.Labels[i] == DigitRun.ForeignDigit)];
        var report = new MnistReport(train.Count, test.Count, foreign.Length, s_seeds.Length);
        foreach (var batchSize in s_batchSizes)
        {
            var (agreements, findings) = Run(train, test, probe, all, foreign, batchSize);
            report.Add(batchSize, agreements, findings);
        }

        report.Write();
    }

    private static (List<Agreement> Agreements, List<Finding> Findings) Run(
        DigitSet train, DigitSet test, PerceptronObjective probe, int[] all, int[] foreign, int batchSize)
    {
        var agreements = new List<Agreement>();
        var findings = new List<Finding>();
        foreach (var seed in s_seeds)
        {
            using var insert = DigitRun.Insert(train, seed, batchSize);
            using var mislabel = DigitRun.Mislabel(train, seed, batchSize);
            using var shift = DigitRun.Shift(train, seed, batchSize);
            foreach (var run in new[] { insert, mislabel, shift }) agreements.AddRange(Compare(run, probe));
            findings.Add(new Finding(
                PlantedSteps.AreaUnderCurve(insert, probe, foreign, sign: 1),
                PlantedSteps.AreaUnderCurve(mislabel, probe, all, sign: -1),
                Accuracy(insert, probe, test),
                Accuracy(mislabel, probe, test),
                Accuracy(shift, probe, test)));
            Console.Error.WriteLine($"mnist: batches of {batchSize}, seed {seed} of {s_seeds.Length} done");
        }

        return (agreements, findings);
    }

    private static DigitSet Read(string name, int count)
    {
        var all = DigitSet.Read(
            Repository.Shared($"data/mnist/{name}-images-idx3-ubyte.gz"), Repository.Shared($"data/mnist/{name}-labels-idx1-ubyte.gz"));
        if (all.Count < count) throw AbsenceException.Of($"{all.Count} digits of {count} in {name}");
        return all.Take(Enumerable.Range(0, count));
    }

    private static List<Agreement> Compare(DigitRun run, PerceptronObjective probe)
    {
        using var scope = NewDisposeScope();
        double[][] measured =
        [
            .. run.Questions.Select(question =>
                DigitEstimator.Effect(run, probe, PlainRetraining.Train(run.Trajectory, question.Without))),
        ];
        return
        [
            .. DigitEstimator.All.SelectMany(estimator => estimator.Estimate(run, probe).Select((estimated, i) => new Agreement(
                estimator.Name,
                run.Questions[i].Column,
                Correlation.Pearson(estimated, measured[i]),
                Correlation.RelativeError(estimated, measured[i])))),
        ];
    }

    private static double Accuracy(DigitRun run, PerceptronObjective probe, DigitSet test)
    {
        using var final = run.Trajectory.StateBefore(run.Trajectory.Programs.Count);
        return probe.Predictions(final).Zip(test.Labels, static (predicted, label) => predicted == label ? 1.0 : 0).Average();
    }
}
