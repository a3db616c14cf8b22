// What the benchmarks' agents answer: the same for the engine and for its ceiling.
#pragma once

#include <omnix/v1/diagnosis.pb.h>

#include <string>

namespace omnix::bench {

// JSON of 500 bytes.
const std::string& SomeOutput();
// A piece of evidence of about 300 bytes; ids differ by number.
v1::Evidence SomeEvidence(int number);

}  // namespace omnix::bench
