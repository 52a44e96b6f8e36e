using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Fused;

/// <summary>Rotary angles: pairs of a head's rows are turned, and their gradients turned back.</summary>
internal sealed unsafe class Turn : autograd.SingleTensorFunction<Turn>
{
    private const string NeighboursKey = "neighbours";

    public override string Name => nameof(Turn);

    /// <param name="vars">
    /// Heads [rows, tokens, heads, size]; cosines and sines [positions, size / 2]; whether pairs are neighbours or half a head
    /// apart.
    /// </param>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (heads, cosines, sines) = (((Tensor)vars[0]).contiguous(), (Tensor)vars[1], (Tensor)vars[2]);
        ctx.save_for_backward([cosines, sines]);
        ctx.save_data(NeighboursKey, vars[3]);
        return Turned(heads, cosines, sines, (bool)vars[3], back: false);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        using var gradient = grad_output.contiguous();
        var neighbours = (bool)ctx.get_data(NeighboursKey);
        return [Turned(gradient, saved[0], saved[1], neighbours, back: true), null!, null!, null!];
    }

    private static Tensor Turned(Tensor heads, Tensor cosines, Tensor sines, bool neighbours, bool back)
    {
        var output = empty(heads.shape, ScalarType.Float32);
        var (tokens, count, size) = (heads.shape[1], heads.shape[2], (int)heads.shape[3]);
        var x = Chunks.FloatsOf(heads);
        var y = Chunks.FloatsOf(output);
        var c = Chunks.FloatsOf(cosines);
        var s = Chunks.FloatsOf(sines);
        var sign = back ? -1f : 1f;
        Chunks.For(
            heads.shape[0] * tokens,
            count * size,
            (_, from, to) =>
            {
                for (var head = from * count; head < to * count; head++)
                {
                    var angles = head / count % tokens * (size / 2);
                    if (neighbours)
                        Neighbours(x + (head * size), y + (head * size), c + angles, s + angles, size / 2, sign);
                    else
                        Halves(x + (head * size), y + (head * size), c + angles, s + angles, size / 2, sign);
                }
            }
        );
        return output;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Neighbours(float* x, float* y, float* cosines, float* sines, int pairs, float sign)
    {
        for (var i = 0; i < pairs; i++)
        {
            var (cosine, sine) = (cosines[i], sines[i] * sign);
            var (even, odd) = (x[2 * i], x[(2 * i) + 1]);
            y[2 * i] = (even * cosine) - (odd * sine);
            y[(2 * i) + 1] = (even * sine) + (odd * cosine);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves(float* x, float* y, float* cosines, float* sines, int pairs, float sign)
    {
        var i = 0;
        for (; i <= pairs - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (cosine, sine) = (Vector256.Load(cosines + i), Vector256.Load(sines + i) * sign);
            var (first, second) = (Vector256.Load(x + i), Vector256.Load(x + pairs + i));
            ((first * cosine) - (second * sine)).Store(y + i);
            ((first * sine) + (second * cosine)).Store(y + pairs + i);
        }
        for (; i < pairs; i++)
        {
            var (cosine, sine) = (cosines[i], sines[i] * sign);
            y[i] = (x[i] * cosine) - (x[pairs + i] * sine);
            y[pairs + i] = (x[i] * sine) + (x[pairs + i] * cosine);
        }
    }
}
