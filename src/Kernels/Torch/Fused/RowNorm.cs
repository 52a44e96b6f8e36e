using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Fused;

/// <summary>Root-mean-square norm of the last dimension times a weight, each row read once on either way.</summary>
internal sealed unsafe class RowNorm : autograd.SingleTensorFunction<RowNorm>
{
    private const string EpsilonKey = "epsilon";

    public override string Name => nameof(RowNorm);

    /// <param name="vars">Input [.., width], weight [width], epsilon.</param>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, weight, epsilon) = (((Tensor)vars[0]).contiguous(), (Tensor)vars[1], (float)vars[2]);
        ctx.save_for_backward([input, weight]);
        ctx.save_data(EpsilonKey, epsilon);
        var output = empty(input.shape, ScalarType.Float32);
        var width = weight.numel();
        var x = Chunks.FloatsOf(input);
        var w = Chunks.FloatsOf(weight);
        var y = Chunks.FloatsOf(output);
        Chunks.For(
            input.numel() / width,
            width,
            (_, from, to) =>
            {
                for (var row = from; row < to; row++)
                    Forward(x + (row * width), w, y + (row * width), (int)width, epsilon);
            }
        );
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (input, weight, epsilon) = (saved[0], saved[1], (float)ctx.get_data(EpsilonKey));
        using var gradient = grad_output.contiguous();
        var toInput = empty(input.shape, ScalarType.Float32);
        var width = weight.numel();
        var rows = input.numel() / width;
        // One sum of the weight's gradient for each chunk, added up in their order.
        var sums = zeros([Chunks.Count(rows, width), width], ScalarType.Float32);
        var x = Chunks.FloatsOf(input);
        var w = Chunks.FloatsOf(weight);
        var g = Chunks.FloatsOf(gradient);
        var dx = Chunks.FloatsOf(toInput);
        var dw = Chunks.FloatsOf(sums);
        Chunks.For(
            rows,
            width,
            (chunk, from, to) =>
            {
                for (var row = from; row < to; row++)
                {
                    var at = row * width;
                    Backward(x + at, w, g + at, dx + at, dw + (chunk * width), (int)width, epsilon);
                }
            }
        );
        return [toInput, sums.sum([0L]), null!];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward(float* x, float* w, float* y, int width, float epsilon)
    {
        var scale = Scale(x, width, epsilon);
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
            (Vector.Load(x + i) * scale * Vector.Load(w + i)).Store(y + i);
        for (; i < width; i++)
            y[i] = x[i] * scale * w[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward(float* x, float* w, float* g, float* dx, float* dw, int width, float epsilon)
    {
        var scale = Scale(x, width, epsilon);
        var products = Vector<float>.Zero;
        var rest = 0f;
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var normed = Vector.Load(x + i) * scale;
            var gradient = Vector.Load(g + i);
            (Vector.Load(dw + i) + (gradient * normed)).Store(dw + i);
            products += gradient * Vector.Load(w + i) * normed;
        }
        for (; i < width; i++)
        {
            dw[i] += g[i] * x[i] * scale;
            rest += g[i] * w[i] * x[i] * scale;
        }
        var mean = (Vector.Sum(products) + rest) / width;
        for (i = 0; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var normed = Vector.Load(x + i) * scale;
            (((Vector.Load(g + i) * Vector.Load(w + i)) - (normed * mean)) * scale).Store(dx + i);
        }
        for (; i < width; i++)
            dx[i] = ((g[i] * w[i]) - (x[i] * scale * mean)) * scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Scale(float* x, int width, float epsilon)
    {
        var squares = Vector<float>.Zero;
        var rest = 0f;
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var part = Vector.Load(x + i);
            squares += part * part;
        }
        for (; i < width; i++)
            rest += x[i] * x[i];
        return 1 / MathF.Sqrt(((Vector.Sum(squares) + rest) / width) + epsilon);
    }
}
