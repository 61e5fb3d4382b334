namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>The benchmark's aims against its figures, so that the file itself says which were missed.</summary>
internal static class MnistAims
{
    private const double LeastAverage = 0.95;
    private const double LeastMidpoint = 0.99;
    private const double LargestShortfall = 0.005;
    private const double LeastArea = 0.95;

    public static IEnumerable<string[]> Rows(IReadOnlyCollection<Agreement> agreements, IReadOnlyCollection<Finding> findings)
    {
        string[] columns = [.. agreements.Select(static agreement => agreement.Column).Distinct()];
        yield return AtLeast("aa-score, average correlation", columns.Average(column => Pearson("aa-score", column)), LeastAverage);
        foreach (var column in new[] { "Shift 1", "Shift 2" })
            yield return AtLeast($"replay midpoint, {column}", Pearson("replay midpoint", column), LeastMidpoint);
        foreach (var column in columns)
        {
            yield return AtLeast(
                $"block adjoint less aa-score, {column}",
                Pearson("block adjoint", column) - Pearson("aa-score", column),
                -LargestShortfall);
        }

        yield return AtLeast("AUC of planted steps, Insert", findings.Average(static of => of.InsertArea), LeastArea);
        yield return AtLeast("AUC of planted steps, Mislabel", findings.Average(static of => of.MislabelArea), LeastArea);

        double Pearson(string estimator, string column) => agreements
            .Where(agreement => agreement.Estimator == estimator && agreement.Column == column)
            .Average(static agreement => agreement.Pearson);
    }

    private static string[] AtLeast(string what, double found, double least) =>
        [$"{what}: at least {least.Shown("0.###")}", found.Shown("F4"), found >= least ? "yes" : "no"];
}
