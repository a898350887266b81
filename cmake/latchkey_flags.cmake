# Compile and link flags of every target of ours.
add_library(latchkey_flags INTERFACE)
target_include_directories(latchkey_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/proto)
target_compile_options(latchkey_flags INTERFACE
  -Wall -Wextra -Werror -Wformat=2 -Wno-sign-compare -Wno-missing-field-initializers
  -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(latchkey_flags INTERFACE -Wthread-safety)
endif()
if(LATCHKEY_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(LATCHKEY_SANITIZE STREQUAL "thread")
  # Debian's protobuf was built without the sanitizer and must keep its layout (map_field.h asks for the macro); libstdc++
  # still learns of it by its own.
  set(sanitize -fsanitize=thread -fno-omit-frame-pointer -U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
elseif(LATCHKEY_SANITIZE)
  message(FATAL_ERROR "LATCHKEY_SANITIZE is '${LATCHKEY_SANITIZE}'; use address, thread or nothing")
endif()
if(LATCHKEY_SANITIZE)
  target_compile_options(latchkey_flags INTERFACE ${sanitize} -g1 -O1)
  target_link_options(latchkey_flags INTERFACE ${sanitize})
else()
  target_compile_options(latchkey_flags INTERFACE
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS>)
  target_link_options(latchkey_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
endif()
