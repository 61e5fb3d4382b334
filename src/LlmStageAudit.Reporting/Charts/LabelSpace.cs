namespace LlmStageAudit.Reporting.Charts;

/// <summary>Finds places for short labels of one line in a plot, so that none covers another.</summary>
internal sealed class LabelSpace(double left, double right, double top, double bottom)
{
    private const double LineHeight = 14;
    private const double Gap = 6;
    private static readonly int[] Sides = [0, -1, 1, -2, 2, -3, 3, -4, 4];
    private readonly List<(double Middle, double Half, double Baseline)> taken = [];

    /// <summary>
    /// Takes the wanted place, else the nearest free one further out or aside; where all are taken, the wanted one after all. Outward -1:
    /// further out is up; 1: down.
    /// </summary>
    public (double Middle, double Baseline, bool IsMoved) Place(double middle, double baseline, double width, int outward)
    {
        var half = width / 2;
        var wanted = Math.Clamp(middle, left + half, right - half);
        foreach (var side in Sides)
        {
            for (var row = 0; row < 3; row++)
            {
                var at = (Middle: wanted + (side * (width + Gap)), Baseline: baseline + (outward * row * LineHeight));
                if (!IsFree(at.Middle, at.Baseline, half)) continue;
                taken.Add((at.Middle, half, at.Baseline));
                return (at.Middle, at.Baseline, side != 0 || row != 0);
            }
        }

        taken.Add((wanted, half, baseline));
        return (wanted, baseline, false);
    }

    private bool IsFree(double middle, double baseline, double half) =>
        middle - half >= left && middle + half <= right && baseline >= top + 10 && baseline <= bottom - 2
        && taken.All(other => Math.Abs(middle - other.Middle) > half + other.Half || Math.Abs(baseline - other.Baseline) >= LineHeight);
}
