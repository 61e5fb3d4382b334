namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>Grey images with a label each.</summary>
/// <param name="Side">Pixels of an edge.</param>
/// <param name="Images">Row-major pixels, 0 (paper) to 1 (ink).</param>
/// <param name="Labels">0 to 9.</param>
internal sealed record DigitSet(int Side, float[][] Images, int[] Labels)
{
    public const int Classes = 10;

    public int Count => Labels.Length;

    /// <exception cref="InvalidDataException">The files are no images and labels, or do not belong together.</exception>
    public static DigitSet Read(string imagesPath, string labelsPath)
    {
        var images = IdxFile.Read(imagesPath, dimensions: 3);
        var labels = IdxFile.Read(labelsPath, dimensions: 1);
        var (count, side) = (images.Shape[0], images.Shape[1]);
        if (images.Shape[2] != side || labels.Shape[0] != count || labels.Elements.Any(label => label >= Classes))
        {
            throw new InvalidDataException(
                $"{imagesPath}: {count} images of {side} x {images.Shape[2]} with {labels.Shape[0]} labels up to {labels.Elements.Max()}; "
                    + $"expected square images with one label below {Classes} each");
        }

        return new DigitSet(
            side,
            [.. images.Elements.Chunk(side * side).Select(pixels => Array.ConvertAll(pixels, pixel => pixel / 255f))],
            Array.ConvertAll(labels.Elements, label => (int)label));
    }

    public DigitSet Take(IEnumerable<int> examples)
    {
        int[] chosen = [.. examples];
        return new DigitSet(Side, [.. chosen.Select(i => Images[i])], [.. chosen.Select(i => Labels[i])]);
    }

    /// <summary>Turned counter-clockwise about the centre; between pixels linear, beyond the edge paper.</summary>
    public DigitSet Rotated(double degrees)
    {
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        var centre = (Side - 1) / 2.0;
        return this with { Images = [.. Images.Select(image => Resampled(image, Source))] };

        // Rows grow downwards: where the pixel at (row, column) of the turned image lay before.
        (double Row, double Column) Source(int row, int column)
        {
            var (down, right) = (row - centre, column - centre);
            return (centre + (cos * down) + (sin * right), centre - (sin * down) + (cos * right));
        }
    }

    private float[] Resampled(float[] image, Func<int, int, (double Row, double Column)> source)
    {
        var result = new float[image.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var (row, column) = source(i / Side, i % Side);
            var (top, left) = ((int)Math.Floor(row), (int)Math.Floor(column));
            var (down, right) = (row - top, column - left);
            result[i] = (float)(((1 - down) * (((1 - right) * Pixel(top, left)) + (right * Pixel(top, left + 1))))
                + (down * (((1 - right) * Pixel(top + 1, left)) + (right * Pixel(top + 1, left + 1)))));
        }

        return result;

        double Pixel(int row, int column) => row >= 0 && row < Side && column >= 0 && column < Side ? image[(row * Side) + column] : 0;
    }
}
