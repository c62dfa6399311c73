// The runner: Boost.Test itself, compiled here and nowhere else. The test_*.cpp files include
// <boost/test/unit_test.hpp>.
#define BOOST_TEST_MODULE pyfm
#include <boost/test/included/unit_test.hpp>
