using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.LlamaCpp.Sampling;

/// <summary>A token that may be chosen, with its logit, later its weight.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Candidate(int Token, double Weight)
{
    /// <summary>Higher weight first, the lower id on ties: a total order, so that a result does not depend on the sort.</summary>
    public static readonly Comparison<Candidate> BestFirst = (left, right) =>
        left.Weight != right.Weight ? right.Weight.CompareTo(left.Weight) : left.Token.CompareTo(right.Token);

    public static readonly IComparer<Candidate> WorstFirst = Comparer<Candidate>.Create(
        (left, right) => BestFirst(right, left)
    );
}
