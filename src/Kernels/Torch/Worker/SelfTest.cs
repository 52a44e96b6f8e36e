using EgpuFleet.Kernels.Engines;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Worker;

/// <summary>A product of matrices and its gradient, against plain loops over doubles.</summary>
internal static class SelfTest
{
    private const int Size = 48;
    private const double Tolerance = 1e-4;

    public static SelfTestReport Run()
    {
        using var scope = NewDisposeScope();
        var (left, right) = (Numbers(1), Numbers(2));
        var weight = tensor(left, [Size, Size]).requires_grad_();
        var product = weight.mm(tensor(right, [Size, Size]));
        product.square().sum().backward();
        var expected = Product(left, right, turned: false);
        var gradient = Product([.. expected.Select(value => (float)(2 * value))], right, turned: true);
        var error = Math.Max(
            LargestError(expected, product.detach().data<float>().ToArray()),
            LargestError(gradient, weight.grad!.data<float>().ToArray())
        );
        return new SelfTestReport(
            error <= Tolerance,
            2 * Size * Size,
            error,
            "A product of matrices and its gradient."
        );
    }

    /// <summary>Left times right, or its transpose.</summary>
    private static double[] Product(float[] left, float[] right, bool turned)
    {
        var product = new double[Size * Size];
        for (var row = 0; row < Size; row++)
        {
            for (var column = 0; column < Size; column++)
            {
                for (var k = 0; k < Size; k++)
                {
                    var other = turned ? right[(column * Size) + k] : right[(k * Size) + column];
                    product[(row * Size) + column] += (double)left[(row * Size) + k] * other;
                }
            }
        }
        return product;
    }

    private static double LargestError(double[] expected, float[] actual)
    {
        var scale = expected.Max(Math.Abs);
        return expected.Zip(actual, (wanted, got) => Math.Abs(wanted - got) / scale).Max();
    }

    private static float[] Numbers(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Size * Size).Select(_ => (2 * random.NextSingle()) - 1)];
    }
}
