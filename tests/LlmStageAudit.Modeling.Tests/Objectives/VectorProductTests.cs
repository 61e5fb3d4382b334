using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

public sealed class VectorProductTests
{
    private const int Size = 6;
    private static readonly int[] s_batch = [4, 0, 2, 7, 1];
    private readonly PolynomialObjective _objective = PolynomialObjective.Random(9, Size, seed: 3, cubic: 0.7);

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void Several_vectors_give_what_each_gives_alone(int? microBatchSize)
    {
        using var scope = NewDisposeScope();
        var (theta, vectors) =
            (TensorMemory.Of(Vectors.Normal(Size, 1)), Enumerable.Range(2, 3).Select(seed => TensorMemory.Of(Vectors.Normal(Size, seed))).ToArray());
        var found = _objective.HessianVectorProducts(theta, s_batch, vectors, microBatchSize);
        foreach (var (vector, product) in vectors.Zip(found))
            Vectors.Close(Difference(theta, s_batch, vector), product.ToArray<double>(), 1e-8);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void Shares_are_each_examples_gradient_along_the_vector(int? microBatchSize)
    {
        using var scope = NewDisposeScope();
        var (theta, vectors) =
            (TensorMemory.Of(Vectors.Normal(Size, 1)), new[] { TensorMemory.Of(Vectors.Normal(Size, 2)), TensorMemory.Of(Vectors.Normal(Size, 3)) });
        var (products, shares) = _objective.HessianVectorProductsWithShares(theta, s_batch, vectors, microBatchSize);
        var derivatives = _objective.LossDerivatives(theta, s_batch, vectors, microBatchSize);
        for (var i = 0; i < vectors.Length; i++)
        {
            var expected = s_batch
                .Select(example => _objective.LossAndGradient(theta, [example]).Gradient.dot(vectors[i]).ToNumber())
                .ToArray();
            Vectors.Close(expected, derivatives[i], 1e-12);
            Vectors.Close([.. expected.Select(value => value / s_batch.Length)], shares[i], 1e-12);
            Vectors.Close(Difference(theta, s_batch, vectors[i]), products[i].ToArray<double>(), 1e-8);
        }
    }

    /// <summary>The layers are the first parameter, and all others: two diagonal blocks.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    public void Layer_wise_is_the_hessian_without_the_blocks_between_layers(int? microBatchSize)
    {
        using var scope = NewDisposeScope();
        var (theta, vector) = (TensorMemory.Of(Vectors.Normal(Size, 1)), Vectors.Normal(Size, 2));
        var ofFirst = Difference(theta, s_batch, TensorMemory.Of([.. vector.Select((value, i) => i == 0 ? value : 0)]));
        var ofRest = Difference(theta, s_batch, TensorMemory.Of([.. vector.Select((value, i) => i == 0 ? 0 : value)]));
        double[] expected = [ofFirst[0], .. ofRest[1..]];
        Vectors.Close(
            expected,
            _objective.LayerwiseHessianVectorProduct(theta, s_batch, TensorMemory.Of(vector), microBatchSize).ToArray<double>(),
            1e-8);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void A_weighted_gradient_is_the_weighted_sum_of_the_examples_gradients(int? microBatchSize)
    {
        using var scope = NewDisposeScope();
        var theta = TensorMemory.Of(Vectors.Normal(Size, 1));
        double[] weights = [1, -0.5, 2, 0, 3];
        var expected = new double[Size];
        foreach (var (example, weight) in s_batch.Zip(weights))
        {
            var gradient = _objective.LossAndGradient(theta, [example]).Gradient.ToArray<double>();
            for (var i = 0; i < Size; i++) expected[i] += weight * gradient[i];
        }

        Vectors.Close(expected, _objective.WeightedGradient(theta, s_batch, weights, microBatchSize).ToArray<double>(), 1e-12);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void A_weighted_product_is_the_derivative_of_the_weighted_gradient(int? microBatchSize)
    {
        using var scope = NewDisposeScope();
        const double h = 1e-5;
        var (theta, vector) = (TensorMemory.Of(Vectors.Normal(Size, 1)), TensorMemory.Of(Vectors.Normal(Size, 2)));
        double[] weights = [1, -0.5, 2, 0, 3];
        var up = _objective.WeightedGradient(theta.plus(vector, h), s_batch, weights);
        var down = _objective.WeightedGradient(theta.plus(vector, -h), s_batch, weights);
        var found = _objective.WeightedHessianVectorProduct(theta, s_batch, weights, vector, microBatchSize);
        Vectors.Close((up - down).over(2 * h).ToArray<double>(), found.ToArray<double>(), 1e-8);
    }

    [Fact]
    public void Layers_are_modules_and_a_lora_pair_is_one()
    {
        string Layer(string name) => new LlmStageAudit.Modeling.Parameters.ParameterSlot(name, [1], 0).Layer;
        Assert.Equal("a.b.query", Layer("a.b.query.lora_A.weight"));
        Assert.Equal("a.b.query", Layer("a.b.query.lora_B.weight"));
        Assert.Equal("a.score", Layer("a.score.weight"));
        Assert.Equal("layer1", Layer("layer1.bias"));
        Assert.Equal("", Layer("theta"));
    }

    private double[] Difference(Tensor theta, int[] batch, Tensor vector)
    {
        const double h = 1e-5;
        var up = _objective.LossAndGradient(theta.plus(vector, h), batch).Gradient;
        var down = _objective.LossAndGradient(theta.plus(vector, -h), batch).Gradient;
        return (up - down).over(2 * h).ToArray<double>();
    }
}
