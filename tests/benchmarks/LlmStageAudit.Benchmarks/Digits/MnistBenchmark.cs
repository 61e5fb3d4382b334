using LlmStageAudit.Auditing.Statistics;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>Every estimator against retraining, on a perceptron that reads digits.</summary>
internal static class MnistBenchmark
{
    private const int TrainDigits = 12_000;
    private const int ProbeDigits = 501;
    private static readonly long[] s_seeds = [1, 2, 3];

    public static void Run()
    {
        var train = Read("train", TrainDigits);
        var test = Read("t10k", ProbeDigits);
        using var probe = new PerceptronObjective(test.Images, test.Labels, DigitRun.Hidden, DigitSet.Classes);
        var found = new List<Agreement>();
        foreach (var seed in s_seeds)
        {
            foreach (var make in new Func<DigitSet, long, DigitRun>[] { DigitRun.Insert, DigitRun.Mislabel, DigitRun.Shift })
            {
                using var run = make(train, seed);
                found.AddRange(Compare(run, probe));
                Console.Error.WriteLine($"mnist: seed {seed}, {run.Questions[0].Column} done");
            }
        }

        string[] columns = [.. found.Select(static agreement => agreement.Column).Distinct()];
        new ResultFile("mnist", "Effects of training steps and stages on a perceptron that reads digits")
            .Paragraph("Pearson's correlation over the probe's digits, estimated with measured effect: mean over the seeds (standard deviation).")
            .Table(["Estimator", .. columns, "Average"], Rows(found, columns, static agreement => agreement.Pearson, "F4"))
            .Paragraph("Relative error ||estimated - measured|| / ||measured|| over the probe's digits.")
            .Table(["Estimator", .. columns, "Average"], Rows(found, columns, static agreement => agreement.RelativeError, "F3"))
            .Write($"libtorch {version}");
    }

    private static DigitSet Read(string name, int count)
    {
        var all = DigitSet.Read(
            Repository.Shared($"data/mnist/{name}-images-idx3-ubyte.gz"), Repository.Shared($"data/mnist/{name}-labels-idx1-ubyte.gz"));
        return all.Count >= count ? all.Take(Enumerable.Range(0, count)) : throw AbsenceException.Of($"{all.Count} digits of {count} in {name}");
    }

    private static IEnumerable<Agreement> Compare(DigitRun run, PerceptronObjective probe)
    {
        using var scope = NewDisposeScope();
        double[][] measured =
            [.. run.Questions.Select(question => Estimator.Effect(run, probe, PlainRetraining.Train(run.Trajectory, question.Without)))];
        foreach (var estimator in Estimator.All)
        {
            var estimated = estimator.Estimate(run, probe);
            for (var i = 0; i < estimated.Length; i++)
            {
                yield return new Agreement(
                    estimator.Name,
                    run.Questions[i].Column,
                    Correlation.Pearson(estimated[i], measured[i]),
                    Correlation.RelativeError(estimated[i], measured[i]));
            }
        }
    }

    private static IEnumerable<string[]> Rows(
        IReadOnlyCollection<Agreement> found, string[] columns, Func<Agreement, double> figure, string format) =>
        found.GroupBy(static agreement => agreement.Estimator).Select(row =>
        {
            double[][] cells = [.. columns.Select(column => row.Where(agreement => agreement.Column == column).Select(figure).ToArray())];
            return (string[])
            [
                row.Key,
                .. cells.Select(cell => $"{cell.Average().Shown(format)} ({Deviation(cell).Shown(format)})"),
                cells.Average(static cell => cell.Average()).Shown(format),
            ];
        });

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    /// <summary>How one estimator's effects agree with the measured ones, for one column and one seed.</summary>
    private sealed record Agreement(string Estimator, string Column, double Pearson, double RelativeError);
}
