using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using EgpuFleet.Kernels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>
/// AdamW in one pass over weights, moments and gradients. Each number is computed by itself and rounded the same on every
/// machine, so that equal gradients give equal weights wherever they come from.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private readonly AdamSettings settings;

    /// <param name="trained">Weights by name, matrices and vectors of 32-bit floats; they stay the caller's.</param>
    public AdamW(IReadOnlyList<(string Name, Tensor Value)> trained, AdamSettings settings)
    {
        this.settings = settings;
        Slots = [.. trained.Select(entry => new Slot(entry.Name, entry.Value, Zeros(entry.Value), Zeros(entry.Value)))];
    }

    /// <summary>What is trained with its moments, in the order given.</summary>
    public IReadOnlyList<Slot> Slots { get; }

    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>Euclidean norm over the gradients of all weights, in a fixed order of adding.</summary>
    public double GradientNorm()
    {
        var sum = 0.0;
        foreach (var slot in Slots)
        {
            for (var piece = 0; piece < FloatPieces.CountOf(slot.Value); piece++)
                sum += SumOfSquares(FloatPieces.Of(slot.Gradient, piece));
        }
        return Math.Sqrt(sum);
    }

    /// <summary>One step; gradients are sums over so many tokens.</summary>
    /// <param name="norm">Of the gradients as means.</param>
    public void Advance(double learningRate, long tokens, double norm)
    {
        Step++;
        var clip = settings.ClipNorm > 0 && norm > settings.ClipNorm ? settings.ClipNorm / norm : 1;
        var scale = (float)(clip / tokens);
        var first = (float)(1 / (1 - Math.Pow(settings.Beta1, Step)));
        var second = (float)(1 / (1 - Math.Pow(settings.Beta2, Step)));
        foreach (var slot in Slots)
        {
            var decay = slot.Value.dim() > 1 ? settings.WeightDecay : 0;
            var rates = new Rates(scale, first, second, (float)learningRate, (float)(1 - (learningRate * decay)));
            for (var piece = 0; piece < FloatPieces.CountOf(slot.Value); piece++)
            {
                Advance(
                    FloatPieces.Of(slot.Value, piece),
                    FloatPieces.Of(slot.First, piece),
                    FloatPieces.Of(slot.Second, piece),
                    FloatPieces.Of(slot.Gradient, piece),
                    rates
                );
            }
        }
    }

    /// <summary>Forgets the gradients.</summary>
    public void Clear()
    {
        foreach (var slot in Slots)
        {
            using var gradient = slot.Value.grad;
            slot.Value.grad = null;
        }
    }

    public void Dispose()
    {
        foreach (var slot in Slots)
        {
            slot.First.Dispose();
            slot.Second.Dispose();
        }
    }

    private void Advance(
        Span<float> weights,
        Span<float> firsts,
        Span<float> seconds,
        ReadOnlySpan<float> gradients,
        Rates rates
    )
    {
        var (rest1, rest2) = ((float)(1 - settings.Beta1), (float)(1 - settings.Beta2));
        var (beta1, beta2, epsilon) = ((float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon);
        var whole = weights.Length - (weights.Length % Vector<float>.Count);
        var w = MemoryMarshal.Cast<float, Vector<float>>(weights[..whole]);
        var m = MemoryMarshal.Cast<float, Vector<float>>(firsts[..whole]);
        var v = MemoryMarshal.Cast<float, Vector<float>>(seconds[..whole]);
        var g = MemoryMarshal.Cast<float, Vector<float>>(gradients[..whole]);
        var least = new Vector<float>(epsilon);
        for (var i = 0; i < w.Length; i++)
        {
            var gradient = g[i] * rates.Scale;
            var first = (m[i] * beta1) + (gradient * rest1);
            var second = (v[i] * beta2) + (gradient * gradient * rest2);
            m[i] = first;
            v[i] = second;
            var change = first * rates.First / (Vector.SquareRoot(second * rates.Second) + least);
            w[i] = (w[i] * rates.Keep) - (change * rates.Learning);
        }
        for (var i = whole; i < weights.Length; i++)
        {
            var gradient = gradients[i] * rates.Scale;
            firsts[i] = (firsts[i] * beta1) + (gradient * rest1);
            seconds[i] = (seconds[i] * beta2) + (gradient * gradient * rest2);
            var change = firsts[i] * rates.First / (MathF.Sqrt(seconds[i] * rates.Second) + epsilon);
            weights[i] = (weights[i] * rates.Keep) - (change * rates.Learning);
        }
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        // Four sums of doubles each, whatever the machine's registers hold.
        var (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var whole = values.Length - (values.Length % Vector256<float>.Count);
        foreach (var eight in MemoryMarshal.Cast<float, Vector256<float>>(values[..whole]))
        {
            var (lower, upper) = Vector256.Widen(eight);
            low += lower * lower;
            high += upper * upper;
        }
        var sum = Vector256.Sum(low + high);
        foreach (var value in values[whole..])
            sum += (double)value * value;
        return sum;
    }

    private static Tensor Zeros(Tensor value) => zeros(value.shape, ScalarType.Float32).DetachFromDisposeScope();

    /// <summary>A trained weight with its moments.</summary>
    internal sealed record Slot(string Name, Tensor Value, Tensor First, Tensor Second)
    {
        /// <summary>What passes have added up.</summary>
        public Tensor Gradient =>
            Value.grad ?? throw new InvalidOperationException($"No pass has given {Name} a gradient.");
    }

    /// <param name="Scale">Of gradients: sums to means, clipped.</param>
    /// <param name="First">Of first moments, against their start at zero.</param>
    /// <param name="Second">Of second ones.</param>
    /// <param name="Learning">The rate.</param>
    /// <param name="Keep">What decay leaves of a weight.</param>
    private readonly record struct Rates(float Scale, float First, float Second, float Learning, float Keep);
}
