namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>What the benchmark files: what was trained and asked, and the tables of each batch size.</summary>
internal sealed class MnistReport
{
    private readonly ResultFile _file = new("mnist", "Effects of steps and stages of training, on a perceptron that reads digits");
    private readonly int _foreignDigits;

    public MnistReport(int trainDigits, int probeDigits, int foreignDigits, int seeds)
    {
        _foreignDigits = foreignDigits;
        var optimizer = DigitRun.Optimizer;
        var turns = string.Join(", ", DigitRun.Rotations.Select(static degrees => degrees.Shown("0")));
        _file
            .Paragraph(
                $"The first {((double)trainDigits).Shown("N0")} training digits of MNIST (pixels 0 to 1), a perceptron "
                    + $"784-{DigitRun.Hidden}-{DigitSet.Classes} with ReLU in float32, "
                    + $"SGD with momentum {optimizer.Momentum.Shown("0.###")}, "
                    + $"learning rate {optimizer.LearningRate.Shown("0.####")}, weight decay {optimizer.WeightDecay.Shown("0.#####")}, "
                    + "one epoch, a constant rate. The performance function is the log-likelihood of the "
                    + $"label of each of the first {probeDigits} test digits. {seeds} seeds, each with weights, order and planted "
                    + "steps of its own. After [AA], appendix E.2, table 1; what the paper leaves open was chosen as it stands here, the "
                    + "same for all estimators.")
            .Paragraph(
                $"Insert: a job on all digits but the {DigitRun.ForeignDigit}s, and {DigitRun.InsertedSteps} batches of "
                    + $"{DigitRun.ForeignDigit}s at random places in it; without these steps. Mislabel: a job on all digits with every "
                    + $"label wrong in one batch of {DigitRun.MislabeledShare}; without these steps. Shift: three jobs, on a third of the "
                    + $"digits each, turned by {turns} degrees; "
                    + "without the first, second, third job.")
            .Paragraph(
                "Measured is what training again without them gives, by a loop that shares no code with the replay or the optimizers.")
            .Paragraph(
                "Two batch sizes. With 128 a stage has 31 steps, and the [AA] estimator, which counts momentum more than once, is off "
                    + "by a third on the shifts. With 50 it has 80: theta goes further, more units switch on or off on the way, and no "
                    + "second derivative sees the kink of a ReLU. Every estimator that uses one falls behind there; the gradient sources "
                    + "that look at the true gradient (sampled, exact) do not.");
    }

    public void Add(int batchSize, IReadOnlyCollection<Agreement> agreements, IReadOnlyCollection<Finding> findings)
    {
        string[] columns = [.. agreements.Select(static agreement => agreement.Column).Distinct()];
        string[] heads = ["Estimator", .. columns, "Average"];
        _file
            .Section($"Batches of {batchSize}")
            .Paragraph(
                "Pearson's correlation over the test digits, estimated with measured effect: mean over the seeds (standard deviation).")
            .Table(heads, Rows(agreements, columns, static agreement => agreement.Pearson, "F4"))
            .Paragraph("Relative error, ||estimated - measured|| / ||measured||, likewise.")
            .Table(heads, Rows(agreements, columns, static agreement => agreement.RelativeError, "F3"))
            .Paragraph(
                "How well the step scores of one adjoint sweep single out the planted steps: the chance that a planted step scores above "
                    + $"another one, by its effect on the mean log-likelihood of the {_foreignDigits} {DigitRun.ForeignDigit}s among the "
                    + "test digits (insert: planted steps raise it) and of all test digits (mislabel: planted steps lower it). With it "
                    + "the share of the test digits that the trained perceptron reads right.")
            .Table(
                ["Job", "AUC", "Accuracy"],
                [
                    ["Insert", Mean(findings, static of => of.InsertArea), Mean(findings, static of => of.InsertAccuracy)],
                    ["Mislabel", Mean(findings, static of => of.MislabelArea), Mean(findings, static of => of.MislabelAccuracy)],
                    ["Shift", "", Mean(findings, static of => of.ShiftAccuracy)],
                ])
            .Paragraph("The aims, with these figures beside them.")
            .Table(["Aim", "Found", "Met"], MnistAims.Rows(agreements, findings));
    }

    public void Write() => _file.Write($"libtorch {TorchEngine.Version}");

    private static IEnumerable<string[]> Rows(
        IReadOnlyCollection<Agreement> agreements, string[] columns, Func<Agreement, double> figure, string format) =>
        agreements.GroupBy(static agreement => agreement.Estimator).Select(row =>
        {
            double[][] cells = [.. columns.Select(column => row.Where(agreement => agreement.Column == column).Select(figure).ToArray())];
            return (string[])
            [
                row.Key,
                .. cells.Select(cell => Mean(cell, format)),
                cells.Average(static cell => cell.Average()).Shown(format),
            ];
        });

    private static string Mean(IEnumerable<Finding> findings, Func<Finding, double> figure) => Mean([.. findings.Select(figure)], "F3");

    private static string Mean(double[] values, string format)
    {
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        return $"{mean.Shown(format)} ({deviation.Shown(format)})";
    }
}
