namespace LlmStageAudit.Cli.Tests.Demo;

/// <summary>
/// A multinomial naive Bayes classifier over lower-case words, add-one smoothed: an independent reader of the generated
/// comments, to see what a model can learn from them.
/// </summary>
internal sealed class WordScorer
{
    private readonly Dictionary<string, double>[] _counts = [[], []];
    private readonly double[] _totals = new double[2];
    private readonly double[] _documents = new double[2];

    public void Learn(string text, int label)
    {
        _documents[label]++;
        foreach (var word in Words(text))
        {
            _counts[label][word] = _counts[label].GetValueOrDefault(word) + 1;
            _totals[label]++;
        }
    }

    public int Predict(string text)
    {
        var vocabulary = _counts[0].Keys.Union(_counts[1].Keys).Count();
        var score = Math.Log(_documents[1] / _documents[0]);
        foreach (var word in Words(text))
        {
            score += Math.Log((_counts[1].GetValueOrDefault(word) + 1) / (_totals[1] + vocabulary));
            score -= Math.Log((_counts[0].GetValueOrDefault(word) + 1) / (_totals[0] + vocabulary));
        }

        return score > 0 ? 1 : 0;
    }

    public static string[] Words(string text) => text.ToLowerInvariant().Split(' ')
        .Select(word => word.Trim('.', ',', '!', '?', '"', '-', ':'))
        .Where(word => word.Length > 0)
        .ToArray();
}
