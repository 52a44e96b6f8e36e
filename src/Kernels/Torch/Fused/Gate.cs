using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Fused;

/// <summary>silu(gate) · up, in one pass on either way.</summary>
internal sealed unsafe class Gate : autograd.SingleTensorFunction<Gate>
{
    public override string Name => nameof(Gate);

    /// <param name="vars">Gate and up, of one shape.</param>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (gate, up) = (((Tensor)vars[0]).contiguous(), ((Tensor)vars[1]).contiguous());
        ctx.save_for_backward([gate, up]);
        var output = empty(gate.shape, ScalarType.Float32);
        var g = Chunks.FloatsOf(gate);
        var u = Chunks.FloatsOf(up);
        var y = Chunks.FloatsOf(output);
        Chunks.For(gate.numel(), 1, (_, from, to) => Forward(g + from, u + from, y + from, to - from));
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        using var gradient = grad_output.contiguous();
        var (toGate, toUp) = (empty(saved[0].shape, ScalarType.Float32), empty(saved[0].shape, ScalarType.Float32));
        var g = Chunks.FloatsOf(saved[0]);
        var u = Chunks.FloatsOf(saved[1]);
        var d = Chunks.FloatsOf(gradient);
        var dg = Chunks.FloatsOf(toGate);
        var du = Chunks.FloatsOf(toUp);
        Chunks.For(
            saved[0].numel(),
            1,
            (_, from, to) => Backward(g + from, u + from, d + from, dg + from, du + from, to - from)
        );
        return [toGate, toUp];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward(float* gate, float* up, float* output, long count)
    {
        var i = 0L;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var x = Vector256.Load(gate + i);
            (x / (Vector256.Exp(-x) + Vector256<float>.One) * Vector256.Load(up + i)).Store(output + i);
        }
        for (; i < count; i++)
            output[i] = gate[i] / (MathF.Exp(-gate[i]) + 1) * up[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward(float* gate, float* up, float* change, float* toGate, float* toUp, long count)
    {
        var one = Vector256<float>.One;
        var i = 0L;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (x, d) = (Vector256.Load(gate + i), Vector256.Load(change + i));
            var share = one / (Vector256.Exp(-x) + one);
            (d * x * share).Store(toUp + i);
            (d * Vector256.Load(up + i) * share * (one + (x * (one - share)))).Store(toGate + i);
        }
        for (; i < count; i++)
        {
            var share = 1 / (MathF.Exp(-gate[i]) + 1);
            toUp[i] = change[i] * gate[i] * share;
            toGate[i] = change[i] * up[i] * share * (1 + (gate[i] * (1 - share)));
        }
    }
}
